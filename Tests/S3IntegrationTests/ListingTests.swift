import S3Client
import Testing

extension Integration {
    @Suite struct ListingTests {
        @Test(
            "2,500 objects under a prefix are listed page by page and deleted",
            arguments: [TestStore.rgw, .rclone, .moto])
        func manyObjects(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let keys = (0..<2_500).map { "many/\(String(100_000 + $0).dropFirst())" }
                _ = try await bucket.put("before", "x")
                _ = try await bucket.put("nothing/of/many", "x")
                try await inParallel(keys) { key in
                    try await bucket.client.putObject(bucket.object(key), .bytes(Array(key.utf8)))
                }
                #expect(try await bucket.keys(prefix: "many/") == keys)
                #expect(try await bucket.keys().count == 2_502)
                var after: [ListedObject] = []
                for try await object in bucket.client.listObjects(
                    in: bucket.name, prefix: "many/", startAfter: keys[1_233])
                {
                    after.append(object)
                }
                #expect(after.map(\.key) == Array(keys[1_234...]))
                #expect(after.allSatisfy { $0.size == 10 && !$0.etag.isEmpty })
                if store == .rgw { try await listBehindProviders(bucket.name, keys) }

                let outcomes = try await bucket.client.deleteObjects(in: bucket.name, keys.map { ObjectVersion($0) })
                #expect(outcomes.map(\.object.key) == keys)
                #expect(outcomes.allSatisfy { $0.error == nil })
                #expect(try await bucket.keys() == ["before", "nothing/of/many"])
            }
        }

        private func listBehindProviders(_ bucket: String, _ keys: [String]) async throws {
            for store in TestStore.simulated {
                var configuration = try await store.configuration()
                if let domain = store.domain { configuration.addresses[bucket + "." + domain] = "127.0.0.1" }
                try await withClient(configuration) { client in
                    var listed: [String] = []
                    for try await object in client.listObjects(in: bucket, prefix: "many/") {
                        listed.append(object.key)
                    }
                    #expect(listed == keys, "\(store)")
                }
            }
        }

        @Test("An empty prefix, and an empty bucket, have nothing", arguments: TestStore.allCases)
        func nothing(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                #expect(try await bucket.keys() == [])
                #expect(try await bucket.keys(prefix: "none/") == [])
                #expect(try await bucket.client.deleteObjects(in: bucket.name, []) == [])
            }
        }

        @Test("Who stops listing early has asked for one page")
        func onDemand() async throws {
            try await withFaults { bucket, proxy async throws in
                try await inParallel((0..<1_100).map { "k\($0)" }) { key in
                    try await bucket.client.putObject(bucket.object(key), .bytes([]))
                }
                for try await _ in bucket.client.listObjects(in: bucket.name) { break }
                #expect(try await proxy.requests("ListObjectsV2") == 1)
                #expect(try await bucket.keys().count == 1_100)
                #expect(try await proxy.requests("ListObjectsV2") == 3)
            }
        }

        @Test(
            "Of many objects to delete, the locked one fails by name and the others go",
            arguments: TestStore.having(.lock))
        func lockedAmongMany(_ store: TestStore) async throws {
            try await withBucket(on: store, lock: true) { bucket async throws in
                var locked = PutOptions()
                locked.lock = ObjectRetention(mode: .governance, until: bucket.client.configuration.clock() + 3_600)
                var objects: [ObjectVersion] = []
                for key in ["a", "b", "c"] {
                    let put = try await bucket.put(key, "x", options: key == "b" ? locked : PutOptions())
                    let version: String = try #require(put.versionID)
                    objects.append(ObjectVersion(key, versionID: version))
                }
                let outcomes = try await bucket.client.deleteObjects(in: bucket.name, objects)
                #expect(outcomes.map(\.object) == objects)
                #expect(outcomes.map { $0.error?.code } == [nil, "AccessDenied", nil])
                let left = try await bucket.client.listObjectVersions(in: bucket.name)
                #expect(left.map(\.key) == ["b"])
            }
        }
    }
}
