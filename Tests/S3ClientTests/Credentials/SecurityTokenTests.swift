import NetworkTestSupport
import S3Client
import Testing

@Suite struct SecurityTokenTests {
    /// What the service answers.
    static func answer(_ action: String, _ key: String, expiration: String = "2030-01-01T00:00:00Z") -> String {
        """
        <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result><Credentials>
        <AccessKeyId>\(key)</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T/+=</SessionToken>
        <Expiration>\(expiration)</Expiration></Credentials></\(action)Result></\(action)Response>
        """
    }

    private func environment(_ folder: TemporaryFolder, _ server: LoopbackServer) -> [String: String] {
        [
            "AWS_WEB_IDENTITY_TOKEN_FILE": folder.path + "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/a+b",
            "AWS_ENDPOINT_URL_STS": server.origin,
        ]
    }

    @Test("The token is sent unsigned, and read from its file anew each time")
    func webIdentity() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("FIRST.TOKEN\n", to: "token")
            try await LoopbackServer.serve({ _ in .init(200, Self.answer("AssumeRoleWithWebIdentity", "K")) }) {
                server in
                var environment = environment(folder, server)
                environment["AWS_ROLE_SESSION_NAME"] = "nightly run"
                let chain = CredentialsChain(environment: environment)
                let credentials = try await chain.credentials()
                #expect(credentials.accessKeyID == "K")
                #expect(credentials.sessionToken == "T/+=")
                #expect(credentials.expiration == 1_893_456_000)
                try folder.write("SECOND.TOKEN", to: "token")
                await chain.invalidate(nil)
                _ = try await chain.credentials()
                #expect(
                    server.requests.map(\.text)
                        == ["FIRST", "SECOND"].map {
                            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole"
                                + "%2Fa%2Bb&RoleSessionName=nightly%20run&WebIdentityToken=\($0).TOKEN"
                        })
                let first = try #require(server.requests.first)
                #expect(first.method == "POST")
                #expect(first.target == "/")
                #expect(first["authorization"] == nil)
                #expect(first["content-type"] == "application/x-www-form-urlencoded; charset=utf-8")
            }
        }
    }

    @Test("A refusal keeps code, status and request id, and loses the token that the service repeats")
    func refusal() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("SECRET.TOKEN", to: "token")
            try await LoopbackServer.serve({ _ in
                .init(
                    400,
                    "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>bad SECRET.TOKEN here</Message>"
                        + "</Error><RequestId>R1</RequestId></ErrorResponse>")
            }) { server in
                let error = await #expect(throws: S3Error.self) {
                    try await CredentialsChain(environment: environment(folder, server)).credentials()
                }
                #expect(error?.kind == .credentials)
                #expect(error?.code == "InvalidIdentityToken")
                #expect(error?.status == 400)
                #expect(error?.requestID == "R1")
                #expect(error?.message.contains("bad … here") == true)
                #expect(error?.description.contains("SECRET") == false)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test(
        "Answers that hold no credentials are errors that name the source",
        arguments: [
            "", "<html></html>", "<AssumeRoleResponse/>", "<AssumeRoleWithWebIdentityResponse/>",
            answer("AssumeRoleWithWebIdentity", "K", expiration: "tomorrow"), answer("AssumeRoleWithWebIdentity", ""),
            String(repeating: "x", count: 70_000),
        ])
    func brokenAnswers(_ text: String) async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("TOKEN", to: "token")
            try await LoopbackServer.serve({ _ in .init(200, text) }) { server in
                let error = await #expect(throws: S3Error.self) {
                    try await CredentialsChain(environment: environment(folder, server)).credentials()
                }
                #expect(error?.kind == .credentials)
                #expect(error?.message.contains("web identity, role arn:aws:iam::1:role/a+b") == true)
            }
        }
    }

    @Test("A server that is busy is asked again, and a redirect is not followed")
    func retriesAndRedirects() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("TOKEN", to: "token")
            try await LoopbackServer.serve({ _ in .init(503) }) { server in
                let error = await #expect(throws: S3Error.self) {
                    try await CredentialsChain(environment: environment(folder, server)).credentials()
                }
                #expect(error?.status == 503)
                #expect(server.requests.count == 3)
            }
            try await LoopbackServer.serve({ request in
                request.path == "/" ? .init(307, headers: [("location", "/other")]) : .init(200)
            }) { server in
                let error = await #expect(throws: S3Error.self) {
                    try await CredentialsChain(environment: environment(folder, server)).credentials()
                }
                #expect(error?.status == 307)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test("An empty token file and an address that is none are refused", arguments: ["", " \n"])
    func emptyToken(_ text: String) async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(text, to: "token")
            var environment = [
                "AWS_WEB_IDENTITY_TOKEN_FILE": folder.path + "/token", "AWS_ROLE_ARN": "r",
                "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
            ]
            var error = await #expect(throws: S3Error.self) {
                try await CredentialsChain(environment: environment).credentials()
            }
            #expect(error?.message.contains("is empty") == true)
            try folder.write("TOKEN", to: "token")
            environment["AWS_ENDPOINT_URL_STS"] = "127.0.0.1:1"
            error = await #expect(throws: S3Error.self) {
                try await CredentialsChain(environment: environment).credentials()
            }
            #expect(error?.message.contains("AWS_ENDPOINT_URL_STS is not an address") == true)
        }
    }
}
