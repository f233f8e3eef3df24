import S3Client
import Testing

extension Integration {
    @Suite struct IntegrityTests {
        @Test(
            "A byte that changes on the way up is found by the server, and the body is sent again",
            arguments: ["PutObject", "UploadPart"], [false, true])
        func corruptedUpload(_ operation: String, _ isTLS: Bool) async throws {
            let rule = """
                [{"match": {"operation": "\(operation)", "first": 1},
                  "action": {"do": "corrupt", "where": "request", "offset": 123456}}]
                """
            func run(_ bucket: TestBucket, _ proxy: FaultyProxy) async throws {
                let file = try Folder().sample((11 << 20) + 1)
                try await proxy.set(rules: rule)
                try await bucket.client.putObject(bucket.object("put"), .bytes(file.bytes))
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("upload"))
                #expect(outcome.proof == .etag)
                #expect(try await bucket.read("put") == file.bytes)
                #expect(try await bucket.read("upload") == file.bytes)
                let seen = try #require(try await proxy.state().operations[operation])
                #expect(seen.faulted == 1)
                #expect(seen.statuses["400"] == 1)
            }
            guard isTLS else { return try await withFaults { try await run($0, $1) } }
            // Over https the signature does not cover the body: Content-MD5 does.
            try await withBucket(on: .rgw) { bucket async throws in
                let proxy = try await FaultyProxy.start(
                    before: try TestStore.rgw.address,
                    ["--tls", try TestEnvironment.value("TLS_CERTIFICATE"), try TestEnvironment.value("TLS_KEY")])
                var configuration = try TestStore.rgwTLS.configuration(endpoint: proxy.endpoint)
                configuration.certificateAuthorityFile = try TestEnvironment.value("RGW_CA")
                try await withClient(configuration) { client in
                    try await run(TestBucket(store: .rgw, client: client, name: bucket.name), proxy)
                }
            }
        }

        @Test("A body that is spoiled every time is refused, and nothing is stored")
        func lastingCorruption() async throws {
            try await withFaults { bucket, proxy async throws in
                try await proxy.set(
                    rules:
                        #"[{"match": {"operation": "PutObject"}, "action": {"do": "corrupt", "where": "request", "offset": 2}}]"#
                )
                let error = await #expect(throws: S3Error.self) { try await bucket.put("a", "text") }
                #expect(error?.status == 400)
                #expect(error?.code != nil)
                #expect(try await proxy.requests("PutObject") == 3)
                #expect(try await bucket.keys() == [])
            }
        }

        @Test("A byte that changes on the way down is for the caller's digest to find: the length is right")
        func corruptedDownload() async throws {
            try await withFaults { bucket, proxy async throws in
                let folder = try Folder()
                let bytes = SampleFile.bytes(1 << 20)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                try await proxy.set(
                    rules:
                        #"[{"match": {"operation": "GetObject"}, "action": {"do": "corrupt", "where": "response", "offset": 77}}]"#
                )
                let head = try await bucket.transfers().download(bucket.object("a"), to: folder.file("b"))
                let found = try folder.bytes(of: "b")
                #expect(found.count == bytes.count)
                #expect(found != bytes)
                // What a caller does.
                let digests = ContentHasher.digests(of: found, .md5)
                #expect(head.etag != "\"\(digests.md5Hex ?? "")\"")
            }
        }

        @Test("A wrong ETag never proves an upload", arguments: ["PutObject", "CompleteMultipartUpload"])
        func wrongETag(_ operation: String) async throws {
            try await withFaults { bucket, proxy async throws in
                let file = try Folder().sample(operation == "PutObject" ? 1_000 : (6 << 20) + 1)
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": ["\(operation)", "HeadObject"]},
                          "action": {"do": "etag", "value": "\\"00000000000000000000000000000000\\""}}]
                        """)
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                #expect(outcome.proof == nil)
                #expect(try await bucket.read("a") == file.bytes)
            }
        }

        @Test("A wrong ETag of a part ends in a refusal, and nothing is left")
        func wrongPartETag() async throws {
            try await withFaults { bucket, proxy async throws in
                let file = try Folder().sample((11 << 20) + 1)
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "UploadPart", "part": 2},
                          "action": {"do": "etag", "value": "\\"00000000000000000000000000000000\\""}}]
                        """)
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                }
                #expect(error?.code == "InvalidPart")
                #expect(try await bucket.keys() == [])
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }

        @Test("A clock that is off is corrected once, and remembered", arguments: [3_600, -3_600, 86_400])
        func clock(_ seconds: Int64) async throws {
            try await withFaults(configuring: { configuration in
                configuration.clock = { [clock = configuration.clock] in clock() + seconds }
            }) { bucket, proxy async throws in
                _ = try await bucket.put("a", "text")
                #expect(try await proxy.requests("PutObject") == 2)
                #expect(try await bucket.read("a") == Array("text".utf8))
                #expect(try await proxy.requests("GetObject") == 1)
            }
        }

        @Test("A clock that is off is corrected also where the first answer has no body")
        func clockByHead() async throws {
            try await withFaults { bucket, proxy async throws in
                _ = try await bucket.put("a", "text")
                try await proxy.tell(#"{"clock": {"seconds": 3600}}"#)
                try await proxy.resetCounters()
                #expect(try await bucket.client.headObject(bucket.object("a")).size == 4)
                #expect(try await proxy.requests("HeadObject") == 2)
                #expect(try await bucket.read("a") == Array("text".utf8))
                #expect(try await proxy.requests("GetObject") == 1)
            }
        }

        @Test("A bucket of another region is asked there, once", arguments: [false, true])
        func region(_ redirects: Bool) async throws {
            let other = "s3.us-east-1.amazonaws.com"
            try await withFaults(
                on: .aws, providerOptions: "{\"rate_limit\": 0, \"host\": \"\(other)\", \"redirect\": \(redirects)}",
                configuring: { configuration in
                    configuration.region = "us-east-1"
                    let domain = try #require(TestStore.aws.domain)
                    for (name, _) in configuration.addresses {
                        configuration.addresses[name.replacing(domain, with: other)] = "127.0.0.1"
                    }
                }
            ) { bucket, proxy async throws in
                #expect(try await bucket.client.headObjectIfThere(bucket.object("a")) == nil)
                _ = try await bucket.put("a", "text")
                #expect(try await bucket.read("a") == Array("text".utf8))
                #expect(bucket.client.signingRegion(for: bucket.name) == "eu-central-1")
                #expect(try await proxy.requests("PutObject") == 1)
            }
        }
    }
}

extension S3Client {
    func headObjectIfThere(_ object: S3Object) async throws -> ObjectHead? {
        do {
            return try await headObject(object)
        } catch let error as S3Error where error.status == 404 {
            return nil
        }
    }
}
