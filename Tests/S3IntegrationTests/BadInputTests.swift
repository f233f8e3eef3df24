import S3Client
import Testing

extension Integration {
    @Suite struct BadInputTests {
        private func failure(
            of configuration: S3Configuration, _ work: (S3Client) async throws -> Void
        ) async throws -> S3Error {
            var configuration = configuration
            configuration.retry.attempts = 2
            configuration.connectTimeout = 3
            let error = await #expect(throws: S3Error.self) { try await withClient(configuration, work) }
            let found = try #require(error)
            #expect(!found.description.contains { $0.isNewline })
            let secrets = try [TestUser.test, .plain, .small].map { try $0.credentials.secretAccessKey }
            #expect(!secrets.contains { found.description.contains($0) })
            return found
        }

        private func list(_ client: S3Client) async throws { _ = try await client.listBuckets() }

        private func configuration(
            accessKeyID: String? = nil, secretAccessKey: String? = nil
        ) async throws -> S3Configuration {
            var credentials = try TestUser.test.credentials
            credentials.accessKeyID = accessKeyID ?? credentials.accessKeyID
            credentials.secretAccessKey = secretAccessKey ?? credentials.secretAccessKey
            var configuration = try await TestStore.rgw.configuration()
            configuration.credentials = StaticCredentials(credentials)
            return configuration
        }

        @Test("A wrong key")
        func wrongKey() async throws {
            let error = try await failure(of: try await configuration(accessKeyID: "AKIANOBODY"), list)
            #expect(error.code == "InvalidAccessKeyId")
            #expect(error.description.hasPrefix("ListBuckets: InvalidAccessKeyId (HTTP 403)"))
            #expect(error.requestID != nil)
        }

        @Test("A wrong secret")
        func wrongSecret() async throws {
            let wrong = try await configuration(secretAccessKey: "wrong-secret-that-nobody-may-see")
            let error = try await failure(of: wrong, list)
            #expect(error.code == "SignatureDoesNotMatch")
            #expect(error.description.hasPrefix("ListBuckets: SignatureDoesNotMatch (HTTP 403)"))
            #expect(!error.description.contains("wrong-secret"))
            let head = try await failure(of: wrong) { _ = try await $0.headBucket("some-bucket") }
            #expect(head.status == 403)
            #expect(head.description.hasPrefix("HeadBucket some-bucket: HTTP 403: access denied"))
        }

        @Test("A wrong region, where the server says only that the signature is wrong")
        func wrongRegion() async throws {
            try await withFaults(
                on: .spaces,
                configuring: { configuration in
                    configuration.profile = .generic
                    configuration.region = "ams3"
                }
            ) { bucket, proxy async throws in
                let error = await #expect(throws: S3Error.self) { try await bucket.put("a", "text") }
                #expect(error?.code == "SignatureDoesNotMatch")
                #expect(try await proxy.requests("PutObject") == 1)
            }
        }

        @Test("An endpoint without a scheme is meant as https, which a port for http does not speak")
        func noScheme() async throws {
            let address = try TestStore.rgw.address.replacing("http://", with: "")
            var wrong = try TestStore.rgw.configuration(endpoint: address)
            wrong.certificateAuthorityFile = try TestEnvironment.value("RGW_CA")
            let error = try await failure(of: wrong, list)
            #expect(error.kind == .transport)
            #expect(
                error.message == "the server does not speak TLS on this port; should the endpoint begin with http://?")
        }

        @Test("http on a port for https")
        func plainOnTLS() async throws {
            let address = try TestStore.rgwTLS.address.replacing("https://", with: "http://")
            let error = try await failure(of: try TestStore.rgw.configuration(endpoint: address), list)
            #expect(error.description.contains("should the endpoint begin with https://?"))
        }

        @Test("A web page", arguments: [200, 403, 404])
        func webPage(_ status: Int) async throws {
            try await withFaults { bucket, proxy async throws in
                try await proxy.set(
                    rules: "[{\"match\": {}, \"action\": {\"do\": \"html\", \"status\": \(status)}}]")
                let error = try await failure(of: bucket.client.configuration, list)
                #expect(error.description.contains("is a web page; the endpoint is that of a web site or a console"))
            }
        }

        @Test("A certificate of an authority that nobody knows")
        func unknownAuthority() async throws {
            var wrong = try await TestStore.rgwTLS.configuration()
            wrong.certificateAuthorityFile = nil
            let error = try await failure(of: wrong, list)
            #expect(error.kind == .transport)
            #expect(error.message.contains("certificate is not from an authority that is trusted here"))
            #expect(error.message.contains("AWS_CA_BUNDLE"))
        }

        @Test("A certificate for another name")
        func otherName() async throws {
            // At another address than the one that the certificate names.
            let proxy = try await FaultyProxy.start(
                before: try TestStore.rgw.address,
                [
                    "--listen", "127.0.0.2:0", "--tls", try TestEnvironment.value("TLS_CERTIFICATE"),
                    try TestEnvironment.value("TLS_KEY"),
                ])
            var wrong = try await TestStore.rgwTLS.configuration()
            wrong.endpoint = try S3Endpoint(parsing: "https://elsewhere.test:\(proxy.port)")
            wrong.addresses = ["elsewhere.test": "127.0.0.2"]
            let error = try await failure(of: wrong, list)
            #expect(error.message.contains("certificate is not for the endpoint's name"), "\(error)")
        }

        @Test("A file of authorities that is none", arguments: ["/nowhere/ca.pem", "/proc/self/status"])
        func badAuthorityFile(_ path: String) async throws {
            var wrong = try await TestStore.rgwTLS.configuration()
            wrong.certificateAuthorityFile = path
            let error = try await failure(of: wrong, list)
            #expect(error.kind == .configuration)
            #expect(error.message.contains(path))
        }

        @Test("A host that nobody knows, and a port where nobody listens")
        func nobodyThere() async throws {
            let nameless = try await failure(of: try TestStore.rgw.configuration(endpoint: "http://none.invalid"), list)
            #expect(nameless.kind == .transport)
            #expect(nameless.message.contains("the name none.invalid is not known"))
            let closed = try await failure(of: try TestStore.rgw.configuration(endpoint: "http://127.0.0.1:1"), list)
            #expect(closed.kind == .transport)
            #expect(closed.message.contains("Connection refused; check the endpoint"))
        }

        @Test("No bucket, and no right to make one")
        func noBucket() async throws {
            var plain = try await TestStore.rgw.configuration(user: .plain)
            plain.retry.attempts = 2
            let missing = try await failure(of: plain) { client in
                try await client.putObject(S3Object("nowhere-at-all", "a"), .bytes([1]))
            }
            #expect(missing.code == "NoSuchBucket")
            let refused = try await failure(of: plain) { try await $0.createBucket(TestBucket.freshName()) }
            #expect(["AccessDenied", "TooManyBuckets"].contains(refused.code))
            #expect(refused.description.hasPrefix("CreateBucket t-"))
        }

        @Test("A quota that is full: told by its code, and no upload is left", arguments: [3 << 20, 12 << 20])
        func quota(_ size: Int) async throws {
            let name = TestBucket.freshName()
            try await withClient(try await TestStore.rgw.configuration(user: .small)) { client in
                try await client.createBucket(name)
                do {
                    let file = try Folder().sample(size)
                    let bucket = TestBucket(store: .rgw, client: client, name: name)
                    let error = await #expect(throws: S3Error.self) {
                        try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                    }
                    #expect(error?.code == "QuotaExceeded")
                    #expect(try await bucket.keys() == [])
                    #expect(try await client.listMultipartUploads(in: name) == [])
                } catch {
                    Issue.record(error)
                }
                try await BucketCleaner(client: client, bucket: name, hasVersions: true).run()
            }
        }

        @Test("An object that is gone")
        func gone() async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                let path = try Folder().file("b")
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().download(bucket.object("a/b"), to: path)
                }
                #expect(error?.status == 404)
                #expect(error?.description.hasPrefix("HeadObject \(bucket.name)/a/b: HTTP 404: not found") == true)
            }
        }
    }

    @Suite struct LeastPrivilegeTests {
        /// Lets the plain user put and get objects, and nothing else: no look at the bucket, no list, no delete.
        private func withPlainUser(_ body: (TestBucket, TestBucket) async throws -> Void) async throws {
            try await withBucket(on: .rgw) { owner async throws in
                let policy = """
                    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                    "Principal": {"AWS": ["\(try TestEnvironment.value("PLAIN_ARN"))"]},
                    "Action": ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
                    "Resource": "arn:aws:s3:::\(owner.name)/*"}]}
                    """
                try await owner.client.setPolicy(of: owner.name, json: policy)
                try await withClient(try await TestStore.rgw.configuration(user: .plain)) { client in
                    try await body(owner, TestBucket(store: .rgw, client: client, name: owner.name))
                }
            }
        }

        @Test("Who may only put and get, puts and gets, in parts too")
        func putAndGet() async throws {
            try await withPlainUser { owner, plain async throws in
                let folder = try Folder()
                let file = try folder.sample((16 << 20) + 3)
                _ = try await plain.put("small", "text")
                #expect(try await plain.read("small") == Array("text".utf8))
                let outcome = try await plain.transfers().upload(file.path, to: plain.object("large"))
                #expect(outcome.proof == .etag)
                _ = try await plain.transfers().download(plain.object("large"), to: folder.file("b"))
                #expect(try folder.bytes(of: "b") == file.bytes)
                #expect(try await owner.keys() == ["large", "small"])
            }
        }

        @Test("Who may only put and get goes on with an upload")
        func resume() async throws {
            try await withPlainUser { owner, plain async throws in
                let file = try Folder().sample((11 << 20) + 3)
                var options = PutOptions()
                options.metadata[S3Client.uploadToken] = "token"
                let id = try await plain.client.createMultipartUpload(plain.object("a"), options: options)
                _ = try await plain.client.uploadPart(
                    plain.object("a"), uploadID: id, number: 1, .bytes(Array(file.bytes[..<(5 << 20)])))
                let outcome = try await plain.transfers().upload(
                    file.path, to: plain.object("a"),
                    session: UploadSession(uploadID: id, partSize: 5 << 20, token: "token"))
                #expect(outcome.resumedParts == 1)
                #expect(try await plain.read("a") == file.bytes)
                #expect(try await owner.client.listMultipartUploads(in: owner.name) == [])
            }
        }

        @Test("What is not permitted is told as that")
        func notPermitted() async throws {
            try await withPlainUser { owner, plain async throws in
                _ = try await owner.put("a", "text")
                let head = await #expect(throws: S3Error.self) { try await plain.client.headBucket(plain.name) }
                #expect(head?.status == 403)
                let list = await #expect(throws: S3Error.self) { try await plain.keys() }
                #expect(list?.code == "AccessDenied")
                let delete = await #expect(throws: S3Error.self) {
                    try await plain.client.deleteObject(plain.object("a"))
                }
                #expect(delete?.code == "AccessDenied")
                let many = await #expect(throws: S3Error.self) {
                    try await plain.client.deleteObjects(in: plain.name, [ObjectVersion("a")])
                }
                #expect(many?.code == "AccessDenied")
                // Who may not list is not told whether an object is there.
                let missing = await #expect(throws: S3Error.self) {
                    try await plain.client.headObject(plain.object("b"))
                }
                #expect(missing?.status == 403)
                #expect(try await owner.keys() == ["a"])
            }
        }
    }
}
