import NetworkTestSupport
import S3Client
import Testing

@Suite struct ContainerCredentialsTests {
    private static let answer =
        #"{"AccessKeyId":"K","SecretAccessKey":"S","Token":"T","Expiration":"2030-01-01T00:00:00Z"}"#

    private func source(_ environment: [String: String]) throws -> ContainerCredentials? {
        try ContainerCredentials(CredentialsContext(environment: environment, now: { 0 }))
    }

    @Test("A relative address is on the agent's own host")
    func relative() throws {
        let address = try source(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1?a=b"])?.address
        #expect(address?.origin == "http://169.254.170.2")
        #expect(address?.path == "/v2/credentials/1")
        #expect(address?.query == "?a=b")
        #expect(throws: S3Error.self) { try source(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.example/x"]) }
        #expect(try source([:]) == nil)
        #expect(try source(["AWS_CONTAINER_CREDENTIALS_FULL_URI": ""]) == nil)
    }

    @Test(
        "Full addresses that may be asked",
        arguments: [
            "https://creds.example.com/x", "http://127.0.0.1:8080/x", "http://127.3.2.1", "http://localhost/x",
            "http://[::1]:99/x", "http://169.254.170.2/x", "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials", "HTTP://LOCALHOST/",
        ])
    func allowed(_ address: String) throws {
        #expect(try source(["AWS_CONTAINER_CREDENTIALS_FULL_URI": address]) != nil)
    }

    @Test(
        "Full addresses that must not be asked",
        arguments: [
            "http://example.com/x", "http://10.0.0.1/x", "http://169.254.169.254/x", "http://127.0.0.1.example.com/",
            "http://localhost.example.com/", "http://127.0.0.1@example.com/", "http://user:SECRETPASS@127.0.0.1/",
            "http://[fd00:ec2::254]/", "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "", " ", "http://",
            "http://127.0.0.1:99999/", "//127.0.0.1/",
        ].filter { !$0.isEmpty })
    func refused(_ address: String) {
        let error = #expect(throws: S3Error.self) {
            try source(["AWS_CONTAINER_CREDENTIALS_FULL_URI": address])
        }
        #expect(error?.kind == .credentials)
        #expect(error?.message.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI") == true)
        #expect(error?.message.contains("SECRETPASS") == false)
    }

    @Test("The token is sent, from its file anew each time, before that of the environment")
    func tokens() async throws {
        try await TemporaryFolder.with { folder in
            let file = try folder.write("Bearer one", to: "token")
            try await LoopbackServer.serve({ _ in .init(200, Self.answer) }) { server in
                var environment = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.origin + "/get?role=x"]
                _ = try await CredentialsChain(environment: environment).credentials()
                environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "from environment"
                _ = try await CredentialsChain(environment: environment).credentials()
                environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = file
                let chain = CredentialsChain(environment: environment)
                let credentials = try await chain.credentials()
                #expect(credentials.sessionToken == "T")
                #expect(credentials.expiration == 1_893_456_000)
                try folder.write("Bearer two", to: "token")
                await chain.invalidate(nil)
                _ = try await chain.credentials()
                #expect(
                    server.requests.map { $0["authorization"] }
                        == [nil, "from environment", "Bearer one", "Bearer two"])
                #expect(server.requests.allSatisfy { $0.method == "GET" && $0.target == "/get?role=x" })
            }
        }
    }

    @Test("A token with a line break is refused and not shown", arguments: ["SECRET\n", "SECRET\r\nX: y", "SECRET\r"])
    func lineBreaks(_ token: String) async throws {
        try await TemporaryFolder.with { folder in
            let file = try folder.write(token, to: "token")
            try await LoopbackServer.serve({ _ in .init(200, Self.answer) }) { server in
                for (name, value) in ["": token, "_FILE": file] {
                    let environment = [
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.origin,
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN" + name: value,
                    ]
                    let error = await #expect(throws: S3Error.self) {
                        try await CredentialsChain(environment: environment).credentials()
                    }
                    #expect(error?.message.contains("AWS_CONTAINER_AUTHORIZATION_TOKEN" + name) == true)
                    #expect(error?.description.contains("SECRET") == false)
                }
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test(
        "Answers that are none are errors without what they hold",
        arguments: [
            (200, "nope SECRETKEY"), (200, "{}"), (200, #"{"AccessKeyId":"SECRETKEY"}"#),
            (200, #"{"AccessKeyId":1,"SecretAccessKey":"SECRETKEY"}"#),
            (200, #"{"Code":"Failed","AccessKeyId":"SECRETKEY"}"#),
            (200, #"{"AccessKeyId":"K","SecretAccessKey":"SECRETKEY","Expiration":"never"}"#),
            (200, #"{"AccessKeyId":"K\nX","SecretAccessKey":"SECRETKEY"}"#), (403, "SECRETKEY"), (404, ""),
            (302, "SECRETKEY"), (500, #"{"Code":"Busy","Message":"SECRETKEY"}"#),
        ])
    func brokenAnswers(_ status: Int, _ text: String) async throws {
        try await LoopbackServer.serve({ _ in .init(status, text) }) { server in
            let error = await #expect(throws: S3Error.self) {
                try await CredentialsChain(environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.origin])
                    .credentials()
            }
            #expect(error?.kind == .credentials)
            #expect(error?.description.contains("container") == true)
            #expect(error?.description.contains("SECRETKEY") == false)
            #expect(error?.status == (status == 200 ? nil : status))
        }
    }
}
