import S3Client
import Testing

extension Integration {
    @Suite struct CopyTests {
        @Test("A copy has the content, and the metadata that it is given", arguments: TestStore.allCases)
        func copies(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                var options = PutOptions()
                options.metadata = ["origin": "here"]
                let source = bucket.object("from/a b+ü.gz")
                try await client.putObject(source, .bytes(SampleFile.bytes(10_000)), options: options)
                let plain = try await client.copyObject(from: source, to: bucket.object("plain"))
                #expect(try await bucket.read("plain") == SampleFile.bytes(10_000))
                #expect(try await client.headObject(bucket.object("plain")).etag == plain.etag)
                var copy = CopyOptions()
                copy.replacesMetadata = true
                copy.put.metadata = ["origin": "elsewhere"]
                _ = try await client.copyObject(from: source, to: bucket.object("other"), options: copy)
                if store.capabilities.contains(.metadata) {
                    #expect(try await client.headObject(bucket.object("plain")).metadata == ["origin": "here"])
                    #expect(try await client.headObject(bucket.object("other")).metadata == ["origin": "elsewhere"])
                }
                let missing = await #expect(throws: S3Error.self) {
                    try await client.copyObject(from: bucket.object("none"), to: bucket.object("x"))
                }
                #expect(missing?.code == "NoSuchKey")
            }
        }

        @Test("A copy of a version that is meant", arguments: TestStore.having(.versions))
        func versions(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                try await bucket.client.setVersioning(of: bucket.name, enabled: true)
                let first = try await bucket.put("a", "first")
                let second = try await bucket.put("a", "second")
                var copy = CopyOptions()
                copy.sourceVersionID = first.versionID
                _ = try await bucket.client.copyObject(from: bucket.object("a"), to: bucket.object("b"), options: copy)
                #expect(try await bucket.read("b") == Array("first".utf8))
                copy.sourceVersionID = nil
                copy.sourceIfMatch = second.etag
                _ = try await bucket.client.copyObject(from: bucket.object("a"), to: bucket.object("b"), options: copy)
                #expect(try await bucket.read("b") == Array("second".utf8))
            }
        }

        @Test("A large copy goes in parts within the store", arguments: TestStore.having(.partCopies))
        func inParts(_ store: TestStore) async throws {
            let limit: Int64 = 6 << 20
            try await withBucket(on: store, configuring: { $0.profile.largestCopy = limit }) { bucket async throws in
                let file = try Folder().sample((13 << 20) + 17)
                let source = bucket.object("a b")
                _ = try await bucket.transfers().upload(file.path, to: source)
                var copy = CopyOptions()
                copy.put.metadata = ["kind": "copy"]
                let result = try await bucket.transfers().copy(
                    source, size: Int64(file.bytes.count), to: bucket.object("b"), options: copy)
                #expect(result.etag.trimmingPrefix("\"").contains("-3"))
                #expect(try await bucket.read("b") == file.bytes)
                #expect(try await bucket.client.headObject(bucket.object("b")).metadata["kind"] == "copy")
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }

        @Test(
            "An object goes from one store to another",
            arguments: [(TestStore.rgw, TestStore.moto), (.moto, .rgw), (.rclone, .rgwTLS)],
            [0, 700_001, (21 << 20) + 5])
        func relay(_ stores: (TestStore, TestStore), _ size: Int) async throws {
            try await withBucket(on: stores.0) { from in
                try await withBucket(on: stores.1) { to in
                    let bytes = SampleFile.bytes(size, seed: 3)
                    try await from.client.putObject(from.object("a"), .bytes(bytes))
                    let head = try await from.client.headObject(from.object("a"))
                    var options = PutOptions()
                    options.metadata = ["kind": "replica"]
                    let outcome = try await from.transfers().copy(
                        from.object("a"), head: head, to: to.object("b"), through: to.transfers(), options: options)
                    #expect(outcome.proof == .etag)
                    #expect(try await to.read("b") == bytes)
                    #expect(try await to.client.headObject(to.object("b")).metadata["kind"] == "replica")
                    #expect(try await to.client.listMultipartUploads(in: to.name) == [])
                }
            }
        }

        @Test("An object that was replaced meanwhile is not relayed")
        func relayOfAnother() async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                try await bucket.client.putObject(bucket.object("a"), .bytes(SampleFile.bytes(6 << 20)))
                let head = try await bucket.client.headObject(bucket.object("a"))
                try await bucket.client.putObject(bucket.object("a"), .bytes(SampleFile.bytes(6 << 20, seed: 2)))
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().copy(
                        bucket.object("a"), head: head, to: bucket.object("b"), through: bucket.transfers())
                }
                #expect(error?.code == "PreconditionFailed")
                #expect(try await bucket.keys() == ["a"])
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }
    }
}

extension S3Transfers {
    func copy(
        _ source: S3Object, head: ObjectHead, to target: S3Object, through other: S3Transfers
    ) async throws -> UploadOutcome {
        try await copy(source, head: head, to: target, through: other, options: PutOptions())
    }
}
