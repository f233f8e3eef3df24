import S3Client
import Testing

extension Integration {
    @Suite struct ObjectTests {
        @Test("An object comes back as it was put, is replaced, and goes", arguments: TestStore.allCases)
        func roundTrip(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                var options = PutOptions()
                options.contentType = "application/gzip"
                let bytes = SampleFile.bytes(100_003)
                let put = try await bucket.client.putObject(bucket.object("a"), .bytes(bytes), options: options)
                #expect(!put.etag.isEmpty)
                let (head, body) = try await bucket.client.getObject(bucket.object("a"), limit: 200_000)
                #expect(body == bytes)
                #expect(head.size == 100_003)
                #expect(head.etag == put.etag)
                let known = try await bucket.client.headObject(bucket.object("a"))
                #expect(known.size == 100_003)
                #expect(known.etag == put.etag)
                #expect((known.lastModified ?? 0) > 1_700_000_000)
                if store.capabilities.contains(.metadata) { #expect(known.contentType == "application/gzip") }

                _ = try await bucket.put("a", "other")
                #expect(try await bucket.read("a") == Array("other".utf8))
                #expect(try await bucket.keys() == ["a"])
                try await bucket.client.deleteObject(bucket.object("a"))
                let gone = await #expect(throws: S3Error.self) { try await bucket.read("a") }
                #expect(gone?.code == "NoSuchKey")
                #expect(gone?.status == 404)
                let headless = await #expect(throws: S3Error.self) {
                    try await bucket.client.headObject(bucket.object("a"))
                }
                #expect(headless?.status == 404)
                // One that is not there counts as deleted.
                try await bucket.client.deleteObject(bucket.object("a"))
            }
        }

        @Test("An object of no bytes is an object", arguments: TestStore.allCases)
        func empty(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let folder = try Folder()
                let file = try folder.sample(0)
                try await bucket.client.putObject(bucket.object("bytes"), .bytes([]))
                try await bucket.client.putObject(
                    bucket.object("file"), .file(FileSlice(path: file.path, length: 0)))
                for key in ["bytes", "file"] {
                    #expect(try await bucket.read(key) == [])
                    #expect(try await bucket.client.headObject(bucket.object(key)).size == 0)
                    let target = folder.file("fetched-" + key)
                    let head = try await bucket.transfers().download(bucket.object(key), to: target)
                    #expect(head.size == 0)
                    #expect(try folder.bytes(of: "fetched-" + key) == [])
                }
            }
        }

        @Test("Metadata come back: every printable character of ASCII", arguments: TestStore.having(.metadata))
        func metadata(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                var options = PutOptions()
                let printable = String(decoding: (0x21...0x7E).map { UInt8($0) }, as: UTF8.self)
                options.metadata = ["sha256": "0123", "installation": "a b", "odd": printable]
                _ = try await bucket.put("a", "text", options: options)
                let head = try await bucket.client.headObject(bucket.object("a"))
                #expect(head.metadata == options.metadata)
            }
        }

        @Test("Metadata that no header holds are refused before anything is sent")
        func badMetadata() async throws {
            try await withFaults { bucket, proxy async throws in
                var options = PutOptions()
                options.metadata = ["name": "ü"]
                let error = await #expect(throws: S3Error.self) { try await bucket.put("a", "text", options: options) }
                #expect(error?.kind == .configuration)
                #expect(error?.message.contains("the metadata name") == true)
                #expect(try await proxy.state().requests == 0)
            }
        }

        @Test("Stretches come as asked for", arguments: TestStore.allCases)
        func ranges(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let bytes = SampleFile.bytes(70_001)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                for range in [0..<1, 0..<70_001, 1..<2, 65_536..<70_001, 70_000..<70_001] {
                    let (head, body) = try await bucket.client.getObject(
                        bucket.object("a"), range: Int64(range.lowerBound)..<Int64(range.upperBound), limit: 70_001)
                    #expect(body == Array(bytes[range]))
                    #expect(head.size == 70_001)
                }
                let beyond = await #expect(throws: S3Error.self) {
                    try await bucket.client.getObject(bucket.object("a"), range: 80_000..<80_001, limit: 10)
                }
                #expect(beyond?.status == 416)
            }
        }

        @Test("A body that is longer than allowed is refused, and asked for once")
        func limit() async throws {
            try await withFaults { bucket, proxy async throws in
                try await bucket.client.putObject(bucket.object("a"), .bytes(SampleFile.bytes(5_000)))
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.client.getObject(bucket.object("a"), limit: 4_999)
                }
                #expect(error?.description.contains("longer than 4999 bytes") == true)
                #expect(try await proxy.requests("GetObject") == 1)
                #expect(try await bucket.client.getObject(bucket.object("a"), limit: 5_000).body.count == 5_000)
            }
        }

        @Test("An object is read only while it is the one that is meant", arguments: TestStore.having(.readConditions))
        func ifMatch(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let first = try await bucket.put("a", "first")
                let options = ReadOptions(ifMatch: first.etag)
                #expect(try await bucket.read("a", options: options) == Array("first".utf8))
                _ = try await bucket.put("a", "second")
                let error = await #expect(throws: S3Error.self) { try await bucket.read("a", options: options) }
                #expect(error?.status == 412)
                #expect(error?.code == "PreconditionFailed")
            }
        }

        @Test(
            "A key that is taken is not replaced where that is forbidden", arguments: TestStore.having(.conditionalPut))
        func onlyIfAbsent(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                var options = PutOptions()
                options.onlyIfAbsent = true
                _ = try await bucket.put("a", "first", options: options)
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.put("a", "second", options: options)
                }
                #expect(error?.status == 412)
                #expect(error?.code == "PreconditionFailed")
                #expect(try await bucket.read("a") == Array("first".utf8))
            }
        }

        @Test("A stretch of a file is an object's body", arguments: TestStore.having(.plain))
        func fileSlice(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let file = try Folder().sample(1 << 20)
                let slice = FileSlice(path: file.path, offset: 12_345, length: 700_000)
                try await bucket.client.putObject(bucket.object("a"), .file(slice))
                #expect(try await bucket.read("a") == Array(file.bytes[12_345..<712_345]))
            }
        }

        @Test("A file that is shorter than said, or not there, is refused, and nothing is stored")
        func badFile() async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                let folder = try Folder()
                let file = try folder.sample(1_000)
                let short = await #expect(throws: S3Error.self) {
                    try await bucket.client.putObject(
                        bucket.object("a"), .file(FileSlice(path: file.path, offset: 500, length: 501)))
                }
                #expect(short?.kind == .file)
                #expect(short?.message.contains("is shorter than it was") == true)
                let missing = await #expect(throws: S3Error.self) {
                    try await bucket.client.putObject(
                        bucket.object("a"), .file(FileSlice(path: folder.file("none"), length: 1)))
                }
                #expect(missing?.kind == .file)
                #expect(missing?.message.contains("No such file") == true)
                #expect(try await bucket.keys() == [])
            }
        }
    }
}
