import S3Client
import Testing

extension Integration {
    @Suite struct MultipartTests {
        private static let mebibyte = 1 << 20

        @Test("Parts are sent in any order, listed, and make one object", arguments: TestStore.allCases)
        func parts(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                let object = bucket.object("backups/a")
                let bytes = SampleFile.bytes(12 * Self.mebibyte + 1)
                let stretches = [
                    0..<5 * Self.mebibyte, 5 * Self.mebibyte..<10 * Self.mebibyte, 10 * Self.mebibyte..<bytes.count,
                ]
                var options = PutOptions()
                options.metadata = [S3Client.uploadToken: "token-1", "name": "a"]
                let id = try await client.createMultipartUpload(object, options: options)
                if store.capabilities.contains(.pendingUploads) {
                    let pending = try await client.listMultipartUploads(in: bucket.name, prefix: "backups/")
                    #expect(pending.map(\.uploadID) == [id])
                    #expect(pending.map(\.key) == ["backups/a"])
                    #expect((pending.first?.initiated ?? 0) > 1_200_000_000)
                    #expect(try await client.listMultipartUploads(in: bucket.name, prefix: "none/") == [])
                }
                var parts: [UploadedPart] = []
                for number in [3, 1, 2] {
                    parts.append(
                        try await client.uploadPart(
                            object, uploadID: id, number: number, .bytes(Array(bytes[stretches[number - 1]]))))
                }
                let listed = try await client.listParts(object, uploadID: id)
                #expect(listed.map(\.number) == [1, 2, 3])
                #expect(listed.map(\.size) == stretches.map { Int64($0.count) })
                #expect(Set(listed.map(\.etag)) == Set(parts.map(\.etag)))
                let result = try await client.completeMultipartUpload(
                    object, uploadID: id, parts: parts, expecting: .init(token: "token-1", size: Int64(bytes.count)))
                #expect(!result.etag.isEmpty)
                #expect(try await bucket.read("backups/a") == bytes)
                if store.capabilities.contains(.metadata) {
                    #expect(try await client.headObject(object).metadata == options.metadata)
                    // To be asked again for what is done is no failure: the object is the one that these parts make.
                    let again = try await client.completeMultipartUpload(
                        object, uploadID: id, parts: parts, expecting: .init(token: "token-1", size: Int64(bytes.count))
                    )
                    #expect(again.etag.filter { $0 != "\"" } == result.etag.filter { $0 != "\"" })
                }
                if store.capabilities.contains(.pendingUploads) {
                    #expect(try await client.listMultipartUploads(in: bucket.name) == [])
                }
            }
        }

        @Test(
            "An aborted upload leaves nothing, and is aborted again without harm",
            arguments: TestStore.having(.pendingUploads))
        func abort(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                let object = bucket.object("a")
                let id = try await client.createMultipartUpload(object)
                _ = try await client.uploadPart(object, uploadID: id, number: 1, .bytes([1, 2, 3]))
                try await client.abortMultipartUpload(object, uploadID: id)
                try await client.abortMultipartUpload(object, uploadID: id)
                let gone = await #expect(throws: S3Error.self) { try await client.listParts(object, uploadID: id) }
                #expect(gone?.status == 404)
                #expect(try await client.listMultipartUploads(in: bucket.name) == [])
                #expect(try await bucket.keys() == [])
            }
        }

        @Test(
            "A part that is too small is refused when the upload is completed", arguments: TestStore.having(.partSizes))
        func tooSmall(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let object = bucket.object("a")
                let id = try await bucket.client.createMultipartUpload(object)
                var parts: [UploadedPart] = []
                for number in 1...2 {
                    parts.append(
                        try await bucket.client.uploadPart(object, uploadID: id, number: number, .bytes([1, 2, 3])))
                }
                let all = parts
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.client.completeMultipartUpload(
                        object, uploadID: id, parts: all, expecting: .init(token: "t", size: 6))
                }
                #expect(error?.code == "EntityTooSmall")
                #expect(try await bucket.keys() == [])
            }
        }

        @Test("A part that is sent again replaces the first", arguments: TestStore.having(.pendingUploads))
        func replacedPart(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let object = bucket.object("a")
                let id = try await bucket.client.createMultipartUpload(object)
                _ = try await bucket.client.uploadPart(object, uploadID: id, number: 1, .bytes([1]))
                let part = try await bucket.client.uploadPart(object, uploadID: id, number: 1, .bytes([2, 3]))
                _ = try await bucket.client.completeMultipartUpload(
                    object, uploadID: id, parts: [part], expecting: .init(token: "t", size: 2))
                #expect(try await bucket.read("a") == [2, 3])
            }
        }

        @Test("An upload that nobody began is refused", arguments: TestStore.having(.partSizes))
        func unknown(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let object = bucket.object("a")
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.client.uploadPart(object, uploadID: "2~none", number: 1, .bytes([1]))
                }
                #expect(error?.code == "NoSuchUpload")
            }
        }

        @Test("An object appears only where there was none", arguments: TestStore.having([.conditionalComplete]))
        func onlyIfAbsent(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                _ = try await bucket.put("a", "first")
                let file = try Folder().sample((6 << 20) + 1)
                var options = PutOptions()
                options.onlyIfAbsent = true
                let wish = options
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().upload(file.path, to: bucket.object("a"), options: wish)
                }
                #expect(error?.code == "PreconditionFailed")
                #expect(try await bucket.read("a") == Array("first".utf8))
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }
    }
}
