import NetworkTestSupport
import S3Client
import Testing

@Suite struct InstanceCredentialsTests {
    private static let rolePath = "/latest/meta-data/iam/security-credentials/"

    /// The service as it is: no token, no answer.
    private static func serve(_ request: LoopbackServer.Request, role: String, document: String)
        -> LoopbackServer.Answer
    {
        if request.method == "PUT", request.path == "/latest/api/token" {
            return request["x-aws-ec2-metadata-token-ttl-seconds"] == "21600" ? .init(200, "TOKEN==") : .init(400)
        }
        guard request.method == "GET", request["x-aws-ec2-metadata-token"] == "TOKEN==" else { return .init(401) }
        if request.path == rolePath { return role.isEmpty ? .init(404) : .init(200, role) }
        return request.path == rolePath + "backup%20role" ? .init(200, document) : .init(404)
    }

    private func chain(_ server: LoopbackServer) -> CredentialsChain {
        CredentialsChain(environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.origin + "/"])
    }

    @Test("Token, role, keys: three requests")
    func flow() async throws {
        let document =
            #"{"Code":"Success","LastUpdated":"2029-01-01T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"K","#
            + #""SecretAccessKey":"S","Token":"T","Expiration":"2030-01-01T00:00:00Z"}"#
        try await LoopbackServer.serve({ Self.serve($0, role: "backup role\n", document: document) }) { server in
            let credentials = try await chain(server).credentials()
            #expect(
                credentials
                    == Credentials(
                        accessKeyID: "K", secretAccessKey: "S", sessionToken: "T", expiration: 1_893_456_000,
                        source: "instance role backup role"))
            #expect(server.requests.map(\.method) == ["PUT", "GET", "GET"])
        }
    }

    @Test("An instance without a role, with a broken document or with a code of its own says so")
    func failures() async throws {
        for (role, document, word) in [
            ("", "", "knows no role"), ("\n", "", "knows no role"), ("other", "", "gives nothing for the role other"),
            ("backup role", "{", "something else than the JSON"),
            ("backup role", #"{"Code":"AssumeRoleUnauthorizedAccess"}"#, "AssumeRoleUnauthorizedAccess"),
        ] {
            try await LoopbackServer.serve({ Self.serve($0, role: role, document: document) }) { server in
                let error = await #expect(throws: S3Error.self) { try await chain(server).credentials() }
                #expect(error?.kind == .credentials)
                #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
                #expect(error?.message.contains("TOKEN==") == false)
            }
        }
    }

    @Test("A service that is silent is given up after a second")
    func silence() async throws {
        try await LoopbackServer.serve({ _ in nil }) { server in
            let clock = ContinuousClock()
            let start = clock.now
            let error = await #expect(throws: S3Error.self) { try await chain(server).credentials() }
            #expect(error?.message.contains("does not answer") == true)
            #expect(clock.now - start < .seconds(60))
            #expect(server.requests.count == 1)
        }
    }

    @Test("An address that is none is an error, and not a reason to look elsewhere")
    func address() async {
        let chain = CredentialsChain(environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "169.254.169.254"])
        let error = await #expect(throws: S3Error.self) { try await chain.credentials() }
        #expect(error?.message.hasPrefix("AWS_EC2_METADATA_SERVICE_ENDPOINT is not an address") == true)
    }
}
