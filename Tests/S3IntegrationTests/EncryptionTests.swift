import S3Client
import Testing

extension Integration {
    @Suite struct EncryptionTests {
        @Test(
            "What is encrypted with a customer's key is read with it, and with no other",
            arguments: TestStore.having(.customerKeys))
        func customerKey(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let key = try CustomerKey(SampleFile.bytes(32, seed: 7))
                var options = PutOptions()
                options.encryption = .customerKey(key)
                _ = try await bucket.put("a", "secret", options: options)
                let read = ReadOptions(customerKey: key)
                #expect(try await bucket.read("a", options: read) == Array("secret".utf8))
                #expect(try await bucket.client.headObject(bucket.object("a"), options: read).encryption == "sse-c")
                let keyless = await #expect(throws: S3Error.self) { try await bucket.read("a") }
                #expect(keyless?.status == 400)
                let other = ReadOptions(customerKey: try CustomerKey(SampleFile.bytes(32, seed: 8)))
                let refused = await #expect(throws: S3Error.self) { try await bucket.read("a", options: other) }
                #expect([400, 403].contains(refused?.status))
                let stretch = try await bucket.client.getObject(
                    bucket.object("a"), range: 2..<4, options: read, limit: 9)
                #expect(stretch.body == Array("cr".utf8))
            }
        }

        @Test("Uploads in parts and downloads go with a customer's key", arguments: TestStore.having(.customerKeys))
        func customerKeyInParts(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let folder = try Folder()
                let file = try folder.sample((11 << 20) + 3)
                let key = try CustomerKey(SampleFile.bytes(32, seed: 9))
                var options = PutOptions()
                options.encryption = .customerKey(key)
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("a"), options: options)
                #expect(outcome.sentParts == 3)
                // The ETag of such an object is no MD5 of its content.
                #expect(outcome.proof != .etag)
                _ = try await bucket.transfers().download(
                    bucket.object("a"), to: folder.file("b"), options: ReadOptions(customerKey: key))
                #expect(try folder.bytes(of: "b") == file.bytes)
            }
        }

        @Test("The store encrypts with a key of the key management", arguments: TestStore.having(.keyManagement))
        func keyManagement(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                var options = PutOptions()
                options.encryption = .kms(keyID: try TestEnvironment.value("RGW_KMS_KEY_ID"))
                _ = try await bucket.put("a", "secret", options: options)
                #expect(try await bucket.read("a") == Array("secret".utf8))
                #expect(try await bucket.client.headObject(bucket.object("a")).encryption == "aws:kms")
            }
        }

        @Test("A storage class is given and told", arguments: TestStore.having(.storageClasses))
        func storageClass(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let folder = try Folder()
                let file = try folder.sample((6 << 20) + 1)
                var options = PutOptions()
                options.storageClass = "STANDARD_IA"
                _ = try await bucket.put("small", "text", options: options)
                _ = try await bucket.transfers().upload(file.path, to: bucket.object("large"), options: options)
                for key in ["small", "large"] {
                    #expect(try await bucket.client.headObject(bucket.object(key)).storageClass == "STANDARD_IA")
                }
                for try await object in bucket.client.listObjects(in: bucket.name) {
                    #expect(object.storageClass == "STANDARD_IA")
                }
                #expect(try await bucket.read("large") == file.bytes)
            }
        }

        @Test("What a provider does not have is refused by its name before anything is sent")
        func refusals() async throws {
            try await withFaults(configuring: { $0.profile = .cloudflare }) { bucket, proxy async throws in
                func message(_ change: (inout PutOptions) -> Void) async throws -> String? {
                    var options = PutOptions()
                    change(&options)
                    let wish = options
                    let error = await #expect(throws: S3Error.self) { try await bucket.put("a", "x", options: wish) }
                    #expect(error?.kind == .configuration)
                    return error?.message
                }
                let encryption = try await message { $0.encryption = .s3 }
                #expect(encryption == "Cloudflare R2 has no encryption AES256")
                let storageClass = try await message { $0.storageClass = "GLACIER" }
                #expect(storageClass == "Cloudflare R2 has no storage class GLACIER, but STANDARD, STANDARD_IA")
                let lock = try await message { $0.lock = ObjectRetention(mode: .governance, until: 1) }
                #expect(lock == "Cloudflare R2 has no object lock")
                #expect(try await proxy.state().requests == 0)
            }
        }

        @Test("An archived object is asked back, and read when it is there", arguments: TestStore.having(.archive))
        func archive(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                var options = PutOptions()
                options.storageClass = "GLACIER"
                _ = try await bucket.put("a", "text", options: options)
                #expect(try await client.headObject(bucket.object("a")).isArchived)
                let refused = await #expect(throws: S3Error.self) { try await bucket.read("a") }
                #expect(refused?.code == "InvalidObjectState")
                #expect(try await client.restoreObject(bucket.object("a"), days: 2, tier: .bulk) == .started)
                let head = try await client.headObject(bucket.object("a"))
                #expect(head.restore != nil)
                if case .restored(let until) = head.restore {
                    #expect(abs((until ?? 0) - client.configuration.clock() - 2 * 86_400) < 2 * 86_400)
                    #expect(!head.isArchived)
                }
                #expect(try await client.restoreObject(bucket.object("a"), days: 2) != .started)
            }
        }
    }
}
