import S3Client
import Testing

extension Integration {
    @Suite struct VersionTests {
        @Test("Versions are kept, listed, read and deleted one by one", arguments: TestStore.having(.versions))
        func versions(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                #expect(try await client.versioning(of: bucket.name) == .off)
                try await client.setVersioning(of: bucket.name, enabled: true)
                #expect(try await client.versioning(of: bucket.name) == .enabled)
                let first = try #require(try await bucket.put("a", "first").versionID)
                let second = try #require(try await bucket.put("a", "second").versionID)
                #expect(try await bucket.read("a") == Array("second".utf8))
                #expect(try await bucket.read("a", options: ReadOptions(versionID: first)) == Array("first".utf8))

                let hidden = try await client.deleteObject(bucket.object("a"))
                #expect(hidden.isDeleteMarker)
                let marker = try #require(hidden.versionID)
                let gone = await #expect(throws: S3Error.self) { try await bucket.read("a") }
                #expect(gone?.status == 404)
                let listed = try await client.listObjectVersions(in: bucket.name)
                #expect(Set(listed.map(\.versionID)) == [first, second, marker])
                #expect(listed.filter(\.isDeleteMarker).map(\.versionID) == [marker])
                #expect(listed.filter(\.isLatest).map(\.versionID) == [marker])
                #expect(listed.first { $0.versionID == first }?.size == 5)

                try await client.deleteObject(bucket.object("a"), versionID: marker)
                #expect(try await bucket.read("a") == Array("second".utf8))
                try await client.deleteObject(bucket.object("a"), versionID: second)
                #expect(try await bucket.read("a") == Array("first".utf8))
                let outcomes = try await client.deleteObjects(in: bucket.name, [ObjectVersion("a", versionID: first)])
                #expect(outcomes.map(\.error) == [nil])
                #expect(try await client.listObjectVersions(in: bucket.name) == [])

                try await client.setVersioning(of: bucket.name, enabled: false)
                #expect(try await client.versioning(of: bucket.name) == .suspended)
            }
        }

        @Test("More than a page of versions are all listed and deleted")
        func manyVersions() async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                try await bucket.client.setVersioning(of: bucket.name, enabled: true)
                try await inParallel((0..<1_300).map { "a/\($0 % 650)" }) { key in
                    try await bucket.client.putObject(bucket.object(key), .bytes([]))
                }
                _ = try await bucket.put("b", "x")
                let versions = try await bucket.client.listObjectVersions(in: bucket.name, prefix: "a/")
                #expect(versions.count == 1_300)
                #expect(Set(versions.map(\.key)).count == 650)
                #expect(Set(versions.map(\.versionID)).count == 1_300)
                let outcomes = try await bucket.client.deleteObjects(
                    in: bucket.name, versions.map { ObjectVersion($0.key, versionID: $0.versionID) })
                #expect(outcomes.allSatisfy { $0.error == nil })
                #expect(try await bucket.client.listObjectVersions(in: bucket.name).map(\.key) == ["b"])
            }
        }

        @Test("A bucket without object lock says so", arguments: TestStore.having(.lock))
        func noLock(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                #expect(try await bucket.client.objectLockConfiguration(of: bucket.name) == nil)
                _ = try await bucket.put("a", "text")
                let head = try await bucket.client.headObject(bucket.object("a"))
                #expect(head.retention == nil)
            }
        }

        @Test("A bucket's lock is set and read, and holds for new objects", arguments: TestStore.having(.lock))
        func bucketLock(_ store: TestStore) async throws {
            try await withBucket(on: store, lock: true) { bucket async throws in
                let client = bucket.client
                #expect(try await client.objectLockConfiguration(of: bucket.name) == ObjectLockConfiguration())
                #expect(try await client.versioning(of: bucket.name) == .enabled)
                let wish = ObjectLockConfiguration(defaultMode: .governance, defaultPeriod: .days(3))
                try await client.setObjectLockConfiguration(of: bucket.name, wish)
                #expect(try await client.objectLockConfiguration(of: bucket.name) == wish)
                let now = client.configuration.clock()
                let version = try await bucket.put("a", "text").versionID
                let retention = try #require(try await client.retention(of: bucket.object("a"), versionID: version))
                #expect(retention.mode == .governance)
                #expect(abs(retention.until - now - 3 * 86_400) < 60)
                let years = ObjectLockConfiguration(defaultMode: .compliance, defaultPeriod: .years(1))
                try await client.setObjectLockConfiguration(of: bucket.name, years)
                #expect(try await client.objectLockConfiguration(of: bucket.name) == years)
            }
        }

        @Test("A locked version stays until its lock is lifted", arguments: TestStore.having(.lock))
        func governance(_ store: TestStore) async throws {
            try await withBucket(on: store, lock: true) { bucket async throws in
                let client = bucket.client
                let object = bucket.object("a")
                let until = client.configuration.clock() + 3_600
                var options = PutOptions()
                options.lock = ObjectRetention(mode: .governance, until: until)
                let version = try #require(try await bucket.put("a", "text", options: options).versionID)
                #expect(try await client.headObject(object).retention == options.lock)
                let refused = await #expect(throws: S3Error.self) {
                    try await client.deleteObject(object, versionID: version)
                }
                #expect(refused?.code == "AccessDenied")
                let longer = ObjectRetention(mode: .governance, until: until + 3_600)
                try await client.setRetention(of: object, versionID: version, longer)
                #expect(try await client.retention(of: object, versionID: version) == longer)
                try await client.deleteObject(object, versionID: version, bypassGovernance: true)
                #expect(try await client.listObjectVersions(in: bucket.name) == [])
            }
        }

        @Test("Nobody deletes what is locked for compliance before its time", arguments: [TestStore.rgw])
        func compliance(_ store: TestStore) async throws {
            try await withBucket(on: store, lock: true) { bucket async throws in
                let client = bucket.client
                var options = PutOptions()
                options.lock = ObjectRetention(mode: .compliance, until: client.configuration.clock() + 3)
                let version = try #require(try await bucket.put("a", "text", options: options).versionID)
                let refused = await #expect(throws: S3Error.self) {
                    try await client.deleteObject(bucket.object("a"), versionID: version, bypassGovernance: true)
                }
                #expect(refused?.code == "AccessDenied")
                let start = ContinuousClock.now
                while ContinuousClock.now - start < .seconds(20) {
                    do {
                        try await client.deleteObject(bucket.object("a"), versionID: version)
                        break
                    } catch let error as S3Error where error.code == "AccessDenied" {
                        #expect(client.configuration.clock() < (options.lock?.until ?? 0) + 2)
                    }
                }
                #expect(try await client.listObjectVersions(in: bucket.name) == [])
            }
        }

        @Test("An upload in parts is locked as a whole", arguments: TestStore.having(.lock))
        func lockedUpload(_ store: TestStore) async throws {
            try await withBucket(on: store, lock: true) { bucket async throws in
                let file = try Folder().sample((5 << 20) + 9)
                var options = PutOptions()
                options.lock = ObjectRetention(mode: .governance, until: bucket.client.configuration.clock() + 3_600)
                _ = try await bucket.transfers().upload(file.path, to: bucket.object("a"), options: options)
                let head = try await bucket.client.headObject(bucket.object("a"))
                #expect(head.retention == options.lock)
                #expect(head.size == (5 << 20) + 9)
            }
        }
    }
}
