import NetworkTestSupport
import S3Client
import Testing

@Suite struct CredentialsChainTests {
    private static let keys = ["AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "ENVSECRET"]
    private static let noInstance = ["AWS_EC2_METADATA_DISABLED": "true"]

    private func fetch(_ environment: [String: String], explicit: Credentials? = nil) async throws -> Credentials {
        try await CredentialsChain(environment: environment, explicit: explicit).credentials()
    }

    private func failure(_ environment: [String: String]) async -> S3Error? {
        await #expect(throws: S3Error.self) { try await fetch(environment) }
    }

    @Test("The first place that is set up is taken, though all others are too")
    func order() async throws {
        try await TemporaryFolder.with { folder in
            let token = try folder.write("TOKEN", to: "token")
            let shared = try folder.write(
                "[default]\naws_access_key_id=P\naws_secret_access_key=S\n", to: "credentials")
            let answer = #"{"AccessKeyId":"C","SecretAccessKey":"S"}"#
            try await LoopbackServer.serve({ request in
                switch request.path {
                case "/latest/api/token": .init(200, "T")
                case "/latest/meta-data/iam/security-credentials/": .init(200, "backup-role")
                case "/": .init(200, SecurityTokenTests.answer("AssumeRoleWithWebIdentity", "W"))
                default: .init(200, answer)
                }
            }) { server in
                var environment = Self.keys
                environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = token
                environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/x"
                environment["AWS_ENDPOINT_URL_STS"] = server.origin
                environment["AWS_SHARED_CREDENTIALS_FILE"] = shared
                environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.origin + "/container"
                environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.origin
                let explicit = Credentials(accessKeyID: "X", secretAccessKey: "S", source: "settings")
                let given = try await fetch(environment, explicit: explicit)
                #expect(given.source == "settings")
                #expect(try await fetch(environment).source == "environment AWS_ACCESS_KEY_ID")
                environment["AWS_ACCESS_KEY_ID"] = nil
                environment["AWS_SECRET_ACCESS_KEY"] = ""
                #expect(try await fetch(environment).source == "web identity, role arn:aws:iam::1:role/x")
                environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = nil
                #expect(try await fetch(environment).source == "profile \"default\"")
                environment["AWS_SHARED_CREDENTIALS_FILE"] = nil
                #expect(try await fetch(environment).source == "container")
                environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = nil
                #expect(try await fetch(environment).source == "instance role backup-role")
            }
        }
    }

    @Test("A place that is set up and fails is an error, whatever comes after it")
    func noFallThrough() async throws {
        let later = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"].merging(Self.noInstance) { $1 }
        var environment = later.merging(["AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent", "AWS_ROLE_ARN": "r"]) { $1 }
        #expect(await failure(environment)?.message.contains("there is no token file /nonexistent") == true)
        environment["AWS_ROLE_ARN"] = nil
        #expect(await failure(environment)?.message.contains("AWS_ROLE_ARN is not") == true)
        environment = later.merging(["AWS_PROFILE": "absent", "HOME": "/nonexistent"]) { $1 }
        #expect(
            await failure(environment)?.message.contains("\"absent\" is not in /nonexistent/.aws/credentials") == true)
        #expect(await failure(later)?.message.contains("the credentials endpoint 127.0.0.1:1 does not answer") == true)
    }

    @Test("One key without the other is an error that names both, and shows neither")
    func halves() async {
        for (name, value) in Self.keys {
            let error = await failure([name: value].merging(Self.noInstance) { $1 })
            #expect(error?.kind == .credentials)
            #expect(error?.message.hasPrefix("\(name) is set but AWS_") == true)
            #expect(error?.description.contains(value) == false)
        }
    }

    @Test("Without any, the error says what to set")
    func nothing() async throws {
        let disabled = await failure(Self.noInstance)
        #expect(disabled?.kind == .credentials)
        #expect(
            disabled?.message.hasPrefix("no credentials: set BACKUP_S3_ACCESS_KEY and BACKUP_S3_SECRET_KEY, or ")
                == true)
        let refused = await failure(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"])
        #expect(refused?.message.hasPrefix("no credentials: set BACKUP_S3_ACCESS_KEY") == true)
        #expect(refused?.message.contains("instance metadata service 127.0.0.1:1 does not answer") == true)
        try await LoopbackServer.serve({ _ in .init(404) }) { server in
            let absent = await failure(["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.origin])
            #expect(absent?.message.contains("gives no token") == true)
            #expect(absent?.status == 404)
        }
    }

    @Test("Credentials that end in mid-use are fetched anew, and a server's word is enough")
    func expiring() async throws {
        let clock = ManualClock()
        try await LoopbackServer.serve({ _ in
            let end = clock.now + 120
            let count = Int(end) % 100_000
            return .init(
                200, #"{"AccessKeyId":"KEY\#(count)","SecretAccessKey":"S","Token":"T","Expiration":"\#(iso(end))"}"#)
        }) { server in
            let chain = CredentialsChain(
                environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.origin + "/c"], now: { clock.now })
            let first = try await chain.credentials()
            #expect(first.expiration == clock.now + 120)
            clock.advance(by: 59)
            #expect(try await chain.credentials() == first)
            clock.advance(by: 1)
            let second = try await chain.credentials()
            #expect(second != first)
            #expect(server.requests.count == 2)
            await chain.invalidate(nil)
            _ = try await chain.credentials()
            #expect(server.requests.count == 3)
        }
    }

    @Test("100 callers of the chain ask the server once")
    func sharing() async throws {
        try await LoopbackServer.serve({ _ in .init(200, #"{"AccessKeyId":"K","SecretAccessKey":"S"}"#) }) { server in
            let chain = CredentialsChain(environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.origin])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { _ = try await chain.credentials() } }
                try await group.waitForAll()
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test("Nothing secret is in any description of the sources")
    func descriptions() async throws {
        try await TemporaryFolder.with { folder in
            let environment = [
                "AWS_SECRET_ACCESS_KEY": "SECRETENV", "AWS_ACCESS_KEY_ID": "K", "AWS_ROLE_ARN": "r",
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://h/",
                "AWS_PROFILE": "p", "HOME": folder.path,
                "AWS_CONFIG_FILE": try folder.write("[profile p]\naws_secret_access_key=SECRETFILE", to: "config"),
            ]
            let context = CredentialsContext(environment: environment, now: { 0 })
            let explicit = Credentials(accessKeyID: "K", secretAccessKey: "SECRETGIVEN", source: "settings")
            let values: [Any] = [
                context, explicit, StaticCredentials(explicit),
                CredentialsChain(environment: environment, explicit: explicit),
                try #require(try await ProfileCredentials(context)), try #require(try WebIdentityCredentials(context)),
                try #require(try ContainerCredentials(context)), try #require(try InstanceCredentials(context)),
            ]
            for value in values {
                for text in [String(describing: value), String(reflecting: value)] {
                    #expect(!text.contains("SECRET"), "\(type(of: value))")
                }
            }
        }
    }

    private func iso(_ seconds: Double) -> String {
        let stamp = Array(SigningDate(secondsSince1970: Int64(seconds)).timestamp)
        return "\(String(stamp[0..<4]))-\(String(stamp[4..<6]))-\(String(stamp[6..<11])):"
            + "\(String(stamp[11..<13])):\(String(stamp[13...]))"
    }
}
