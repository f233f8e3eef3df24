import Foundation
import S3Client
import Testing

extension Integration {
    @Suite struct BucketTests {
        @Test(
            "A bucket is made, found, made again without harm, and deleted when it is empty",
            arguments: TestStore.allCases)
        func life(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                _ = try await client.headBucket(bucket.name)
                _ = try await bucket.put("a", "text")
                if store == .rclone {
                    // It does not say whose the bucket is.
                    let taken = await #expect(throws: S3Error.self) { try await client.createBucket(bucket.name) }
                    #expect(taken?.code == "BucketAlreadyExists")
                } else {
                    try await client.createBucket(bucket.name)
                }
                #expect(try await bucket.read("a") == Array("text".utf8))
                #expect(try await client.listBuckets().contains { $0.name == bucket.name })
                let full = await #expect(throws: S3Error.self) { try await client.deleteBucket(bucket.name) }
                #expect(full?.code == "BucketNotEmpty")
                try await client.deleteObject(bucket.object("a"))
                try await client.deleteBucket(bucket.name)
                let gone = await #expect(throws: S3Error.self) { try await client.headBucket(bucket.name) }
                #expect(gone?.status == 404)
                #expect(gone?.code == nil)
                let missing = await #expect(throws: S3Error.self) { try await bucket.put("a", "text") }
                #expect(missing?.code == "NoSuchBucket")
            }
        }

        @Test("A bucket is made where the endpoint's region is", arguments: TestStore.having(.locations))
        func location(_ store: TestStore) async throws {
            try await withBucket(on: store, configuring: { $0.region = "eu-central-1" }) { bucket async throws in
                #expect(try await bucket.client.bucketLocation(bucket.name) == "eu-central-1")
            }
        }

        @Test("A name that no bucket may have is refused by the server, or before", arguments: ["Bad_Name", "a/b", ""])
        func badName(_ name: String) async throws {
            try await withClient(try await TestStore.rgw.configuration()) { client in
                let error = await #expect(throws: S3Error.self) { try await client.createBucket(name) }
                #expect(error?.code == "InvalidBucketName" || error?.message == "\"\(name)\" is no bucket's name")
            }
        }

        @Test("A policy is set, read and taken away", arguments: TestStore.having(.policies))
        func policy(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                #expect(try await bucket.client.policy(of: bucket.name) == nil)
                let policy = """
                    {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",\
                    "Resource":"arn:aws:s3:::\(bucket.name)/*"}]}
                    """
                try await bucket.client.setPolicy(of: bucket.name, json: policy)
                let read = try #require(try await bucket.client.policy(of: bucket.name))
                #expect(read.contains("s3:GetObject"))
                try await bucket.client.deletePolicy(of: bucket.name)
                #expect(try await bucket.client.policy(of: bucket.name) == nil)
            }
        }

        @Test("A bucket's own encryption is set, read and taken away", arguments: TestStore.having(.bucketEncryption))
        func encryption(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                #expect(try await client.encryption(of: bucket.name) == nil)
                for wish in [BucketEncryption.s3, .kms(keyID: "key-1"), .kms(keyID: nil)] {
                    try await client.setEncryption(of: bucket.name, wish)
                    #expect(try await client.encryption(of: bucket.name) == wish)
                }
                try await client.deleteEncryption(of: bucket.name)
                #expect(try await client.encryption(of: bucket.name) == nil)
            }
        }

        @Test("Lifecycle rules are set, read as they were, and taken away", arguments: TestStore.having(.lifecycle))
        func lifecycle(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                #expect(try await bucket.client.lifecycle(of: bucket.name) == [])
                var uploads = LifecycleRule(id: "uploads", prefix: "backups/")
                uploads.abortIncompleteUploadDays = 3
                var old = LifecycleRule(id: "old <&> new", prefix: "old/", isEnabled: false)
                old.expirationDays = 30
                old.noncurrentExpirationDays = 7
                try await bucket.client.setLifecycle(of: bucket.name, [uploads, old])
                let rules = try await bucket.client.lifecycle(of: bucket.name)
                #expect(rules.sorted { $0.id > $1.id } == [uploads, old])
                try await bucket.client.deleteLifecycle(of: bucket.name)
                #expect(try await bucket.client.lifecycle(of: bucket.name) == [])
            }
        }

        @Test(
            "A lifecycle deletes what is old and aborts what was never completed",
            .enabled(
                if: TestEnvironment.secondsOfLifecycleDay != nil || TestEnvironment.isContinuousIntegration,
                Comment(rawValue: TestEnvironment.whatToDoForLifecycle)))
        func lifecycleRuns() async throws {
            try #require(
                TestEnvironment.secondsOfLifecycleDay != nil, Comment(rawValue: TestEnvironment.whatToDoForLifecycle))
            try await withBucket(on: .rgw) { bucket async throws in
                var rule = LifecycleRule(id: "soon", prefix: "old/")
                rule.expirationDays = 1
                rule.abortIncompleteUploadDays = 1
                try await bucket.client.setLifecycle(of: bucket.name, [rule])
                _ = try await bucket.put("old/a", "text")
                _ = try await bucket.put("new/a", "text")
                _ = try await bucket.client.createMultipartUpload(bucket.object("old/b"))
                _ = try await bucket.client.createMultipartUpload(bucket.object("new/b"))
                let start = ContinuousClock.now
                while ContinuousClock.now - start < .seconds(60) {
                    let uploads = try await bucket.client.listMultipartUploads(in: bucket.name).map(\.key)
                    if try await bucket.keys() == ["new/a"], uploads == ["new/b"] { return }
                }
                Issue.record("the lifecycle did nothing for a minute")
            }
        }
    }
}
