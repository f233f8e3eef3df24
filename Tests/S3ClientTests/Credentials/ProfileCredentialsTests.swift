import NetworkTestSupport
import S3Client
import Testing

@Suite struct ProfileCredentialsTests {
    /// The chain over these two files, with nothing else set up.
    private func fetch(
        configuration: String = "", credentials: String = "", profile: String? = "p",
        _ more: [String: String] = [:]
    ) async throws -> Credentials {
        try await TemporaryFolder.with { folder in
            var environment = ["AWS_EC2_METADATA_DISABLED": "true", "PATH": "/usr/bin:/bin", "HOME": folder.path]
            environment["AWS_CONFIG_FILE"] = try folder.write(configuration, to: "config")
            environment["AWS_SHARED_CREDENTIALS_FILE"] = try folder.write(credentials, to: "credentials")
            environment["AWS_PROFILE"] = profile
            let clock = ManualClock()
            return try await CredentialsChain(
                environment: environment.merging(more) { $1 }, now: { clock.now }
            ).credentials()
        }
    }

    private func failure(
        configuration: String = "", credentials: String = "", profile: String? = "p",
        _ more: [String: String] = [:]
    ) async -> String {
        let error = await #expect(throws: S3Error.self) {
            try await fetch(configuration: configuration, credentials: credentials, profile: profile, more)
        }
        #expect(error?.kind == .credentials)
        return error?.description ?? ""
    }

    @Test(
        "Files in every form that is in use",
        arguments: [
            ("", "[p]\naws_access_key_id=K\naws_secret_access_key=S\n"),
            ("[profile p]\naws_access_key_id = K\naws_secret_access_key = S", ""),
            ("[profile p]\naws_access_key_id = OTHER\nregion = x", "[p]\naws_access_key_id=K\naws_secret_access_key=S"),
            ("\u{FEFF}# c\r\n[ profile  \"p\" ] ; c\r\nAWS_Access_Key_ID\t=\tK \r\naws_secret_access_key=S\r\n", ""),
            ("[profile p]\n  aws_access_key_id = K\n  aws_secret_access_key = S # comment\n", ""),
            ("[profile p]\ns3 =\n  aws_access_key_id = NESTED\naws_access_key_id=K\naws_secret_access_key=S", ""),
            (
                "[p]\naws_access_key_id=NOT\n[profile p]\naws_access_key_id=K\n\n[x]\na=b\n[profile p]\naws_secret_access_key=S",
                ""
            ),
            (
                "[services s]\ns3 =\n  endpoint_url = x\n[plugins]\na = b",
                "[q]\n[p]\naws_access_key_id=K\naws_secret_access_key=S"
            ),
            ("", "\n; c\n [p]\naws_access_key_id=K\naws_secret_access_key=S\naws_session_token="),
        ])
    func forms(_ configuration: String, _ credentials: String) async throws {
        let found = try await fetch(configuration: configuration, credentials: credentials)
        #expect(found == Credentials(accessKeyID: "K", secretAccessKey: "S", source: "profile \"p\""))
    }

    @Test("Values keep what looks like a comment inside a word")
    func values() async throws {
        let found = try await fetch(
            credentials: "[p]\naws_access_key_id=K\naws_secret_access_key=a#b;c=/+d #x\naws_session_token = t=="
        )
        #expect(found.secretAccessKey == "a#b;c=/+d")
        #expect(found.sessionToken == "t==")
    }

    @Test("Without AWS_PROFILE the default counts, if it says anything of credentials")
    func defaultProfile() async throws {
        let keys = "aws_access_key_id=K\naws_secret_access_key=S"
        #expect(try await fetch(credentials: "[default]\n\(keys)", profile: nil).source == "profile \"default\"")
        #expect(try await fetch(configuration: "[default]\n\(keys)", profile: nil).accessKeyID == "K")
        #expect(await failure(configuration: "[default]\nregion=x", profile: nil).contains("no credentials: set"))
        #expect(await failure(configuration: "[default]\nregion=x", profile: "default").contains("holds none of"))
    }

    @Test(
        "Broken files are refused by line, without their text",
        arguments: ["SECRET", "[p", "a = SECRET", "[p]\n= SECRET"])
    func broken(_ text: String) async {
        let message = await failure(credentials: text)
        #expect(message.contains("/credentials, line "))
        #expect(!message.contains("SECRET"))
    }

    @Test(
        "Profiles that lead nowhere say what is missing",
        arguments: [
            ("[profile p]\naws_access_key_id=SECRET", "has no aws_secret_access_key"),
            ("[profile p]\naws_secret_access_key=SECRET", "has no aws_access_key_id"),
            ("[profile p]\nrole_arn=r", "neither source_profile nor credential_source"),
            ("[profile p]\nrole_arn=r\nsource_profile=q", "its source_profile \"q\" is not in"),
            ("[profile p]\nrole_arn=r\nsource_profile=p", "in a circle: p → p"),
            ("[profile p]\nrole_arn=r\nsource_profile=q\n[profile q]\nrole_arn=r\nsource_profile=p", "p → q → p"),
            ("[profile p]\nrole_arn=r\nsource_profile=q\n[profile q]\nrole_arn=r\nsource_profile=q", "p → q → q"),
            ("[profile p]\nrole_arn=r\nsource_profile=q\nmfa_serial=m\n[profile q]", "mfa_serial"),
            ("[profile p]\nrole_arn=r\ncredential_source=Environment", "credential_source has no credentials"),
            ("[profile p]\nsso_session=x", "SSO"), ("[profile p]\nsso_start_url=x", "SSO"),
            ("[profile p]\ncredential_process='x", "a quote that is not closed"),
            ("[profile p]\ncredential_process=no-such-program-here", "is not found"),
            ("[profile p]\ncredential_process=/etc/passwd", "is not found"),
            ("[profile p]\nregion=x", "holds none of"), ("[p]\naws_access_key_id=SECRET", "[profile p]"),
        ])
    func nowhere(_ configuration: String, _ word: String) async {
        let message = await failure(configuration: configuration)
        #expect(message.contains(word), "\(message)")
        #expect(!message.contains("SECRET"))
    }

    @Test("A role is taken on by a signed request, through as many profiles as it takes")
    func assumedRole() async throws {
        let configuration = """
            [profile p]
            role_arn = arn:aws:iam::1:role/outer
            source_profile = q
            external_id = e/1
            role_session_name = nightly
            duration_seconds = 900
            region = eu-west-1
            [profile q]
            role_arn = arn:aws:iam::1:role/inner
            source_profile = q
            aws_access_key_id = AKQ
            aws_secret_access_key = SECRETQ
            """
        try await LoopbackServer.serve({ request in
            .init(200, SecurityTokenTests.answer("AssumeRole", request.text.contains("inner") ? "INNER" : "OUTER"))
        }) { server in
            let found = try await fetch(configuration: configuration, ["AWS_ENDPOINT_URL_STS": server.origin])
            #expect(found.accessKeyID == "OUTER")
            #expect(found.source == "profile \"p\" (role arn:aws:iam::1:role/outer)")
            #expect(server.requests.count == 2)
            let inner = try #require(server.requests.first)
            let outer = try #require(server.requests.last)
            #expect(
                outer.text
                    == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fouter"
                    + "&RoleSessionName=nightly&ExternalId=e%2F1&DurationSeconds=900")
            #expect(inner.text.hasSuffix("&RoleSessionName=s3client-1369353600"))
            let host = "127.0.0.1:\(server.port)"
            let own = Credentials(accessKeyID: "AKQ", secretAccessKey: "SECRETQ", source: "test")
            let taken = Credentials(accessKeyID: "INNER", secretAccessKey: "S", sessionToken: "T/+=", source: "test")
            #expect(inner["authorization"] == authorization(inner, host, own, "us-east-1"))
            #expect(outer["authorization"] == authorization(outer, host, taken, "eu-west-1"))
            #expect(outer["x-amz-security-token"] == "T/+=")
        }
    }

    private func authorization(
        _ request: LoopbackServer.Request, _ host: String, _ credentials: Credentials, _ region: String
    ) -> String? {
        let hash = ContentHasher.digests(of: request.body, .sha256).sha256Hex ?? ""
        let signed = SigningRequest(
            method: "POST", host: host, path: "/", headers: [("content-type", request["content-type"] ?? "")],
            payloadHash: hash)
        return SignatureV4.sign(
            signed, credentials: credentials, region: region, service: "sts",
            date: SigningDate(secondsSince1970: 1_369_353_600)
        ).headers.first { $0.0 == "authorization" }?.1
    }

    @Test("A role is taken on from the environment, from a container, and with a token file")
    func credentialSources() async throws {
        try await LoopbackServer.serve({ request in
            if request.path == "/c" { return .init(200, #"{"AccessKeyId":"C","SecretAccessKey":"S"}"#) }
            let action = request.text.contains("WebIdentityToken=TOK") ? "AssumeRoleWithWebIdentity" : "AssumeRole"
            return .init(200, SecurityTokenTests.answer(action, "R"))
        }) { server in
            var more = ["AWS_ENDPOINT_URL_STS": server.origin]
            more["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.origin + "/c"
            let container = "[profile p]\nrole_arn=r\ncredential_source=EcsContainer"
            #expect(try await fetch(configuration: container, more).accessKeyID == "R")
            #expect(server.requests.last?["authorization"]?.contains("Credential=C/") == true)
            try await TemporaryFolder.with { folder in
                let token = try folder.write("TOK", to: "token")
                let web = "[profile p]\nrole_arn=r\nweb_identity_token_file=\(token)"
                #expect(try await fetch(configuration: web, more).source == "profile \"p\" (role r)")
                #expect(server.requests.last?["authorization"] == nil)
            }
        }
    }
}
