import S3Client
import Testing

extension Integration {
    @Suite struct DownloadTests {
        @Test("After a failure only what is missing is fetched")
        func resumed() async throws {
            try await withFaults(configuring: { $0.retry.attempts = 2 }) { bucket, proxy async throws in
                let folder = try Folder()
                let bytes = SampleFile.bytes((40 << 20) + 77)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "GetObject", "after": 4}, "action": {"do": "reset", "response_bytes": 70000}}]
                        """)
                // One at a time: of several, those that are on their way when one fails end with it.
                let transfers = bucket.transfers { $0.concurrency = 1 }
                let target = folder.file("b")
                let failed = await #expect(throws: S3Error.self) {
                    try await transfers.download(bucket.object("a"), to: target)
                }
                #expect(failed?.kind == .transport)
                #expect(folder.exists("b.progress"))
                try await proxy.set(rules: "[]")
                try await proxy.resetCounters()
                _ = try await transfers.download(bucket.object("a"), to: target)
                #expect(try folder.bytes(of: "b") == bytes)
                #expect(folder.exists("b.progress") == false)
                let seen = try #require(try await proxy.state().operations["GetObject"])
                #expect((1...6).contains(seen.requests), "\(seen)")
            }
        }

        @Test("What was fetched of an object that is another now is fetched anew")
        func replaced() async throws {
            try await withFaults(configuring: { $0.retry.attempts = 1 }) { bucket, proxy async throws in
                let folder = try Folder()
                try await bucket.client.putObject(bucket.object("a"), .bytes(SampleFile.bytes(20 << 20)))
                try await proxy.set(
                    rules:
                        #"[{"match": {"operation": "GetObject", "after": 2}, "action": {"do": "reset", "when": "at_start"}}]"#
                )
                let transfers = bucket.transfers { $0.concurrency = 1 }
                await #expect(throws: S3Error.self) {
                    try await transfers.download(bucket.object("a"), to: folder.file("b"))
                }
                try await proxy.set(rules: "[]")
                let other = SampleFile.bytes((20 << 20) + 5, seed: 2)
                try await bucket.client.putObject(bucket.object("a"), .bytes(other))
                try await proxy.resetCounters()
                _ = try await transfers.download(bucket.object("a"), to: folder.file("b"))
                #expect(try folder.bytes(of: "b") == other)
                #expect(try await proxy.requests("GetObject") == 5)
            }
        }

        @Test("An object that is replaced while it is fetched is told")
        func replacedMeanwhile() async throws {
            try await withFaults { bucket, proxy async throws in
                let folder = try Folder()
                try await bucket.client.putObject(bucket.object("a"), .bytes(SampleFile.bytes(20 << 20)))
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "GetObject", "nth": 1},
                          "action": {"do": "bandwidth", "bytes_per_second": 10000000, "direction": "response"}}]
                        """)
                let transfers = bucket.transfers { options in
                    options.concurrency = 1
                    options.maximumConcurrency = 1
                }
                let download = Task { try await transfers.download(bucket.object("a"), to: folder.file("b")) }
                try await proxy.until { ($0.operations["GetObject"]?.inFlight ?? 0) > 0 }
                try await withClient(try await TestStore.rgw.configuration()) { client in
                    _ = try await client.putObject(bucket.object("a"), .bytes(SampleFile.bytes(20 << 20, seed: 2)))
                }
                let error = await #expect(throws: S3Error.self) { try await download.value }
                #expect(error?.status == 412)
                #expect(error?.description.contains("PreconditionFailed (HTTP 412)") == true)
            }
        }

        @Test("Only the stretches that are asked for are fetched", arguments: [TestStore.rgw, .rclone, .moto])
        func sparse(_ store: TestStore) async throws {
            try await withFaults(on: store) { bucket, proxy async throws in
                let folder = try Folder()
                let size = 30 << 20
                let bytes = SampleFile.bytes(size)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                try await proxy.resetCounters()
                let ranges: [Range<Int64>] = [
                    0..<1, 1_000..<70_001, (6 << 20)..<(17 << 20), Int64(size - 3)..<Int64(size),
                ]
                let fetched = try await bucket.transfers().download(
                    ranges, of: bucket.object("a"), size: Int64(size), to: folder.file("b"))
                #expect(fetched == 1 + 69_001 + (11 << 20) + 3)
                let sent = try #require(try await proxy.state().operations["GetObject"]).bytesSent
                #expect(sent == fetched)
                let found = try folder.bytes(of: "b")
                #expect(found.count == size)
                var covered = 0
                for range in ranges {
                    let range = Int(range.lowerBound)..<Int(range.upperBound)
                    #expect(found[covered..<range.lowerBound].allSatisfy { $0 == 0 })
                    #expect(found[range] == bytes[range])
                    covered = range.upperBound
                }
            }
        }

        @Test("A cancelled download stops at once")
        func cancelled() async throws {
            try await withFaults { bucket, proxy async throws in
                let folder = try Folder()
                try await bucket.client.putObject(bucket.object("a"), .bytes(SampleFile.bytes(20 << 20)))
                try await proxy.set(
                    rules:
                        #"[{"match": {"operation": "GetObject"}, "action": {"do": "stall", "response_bytes": 70000}}]"#)
                let download = Task { try await bucket.transfers().download(bucket.object("a"), to: folder.file("b")) }
                try await proxy.until { ($0.operations["GetObject"]?.inFlight ?? 0) > 0 }
                let start = ContinuousClock.now
                download.cancel()
                await #expect(throws: CancellationError.self) { try await download.value }
                #expect(ContinuousClock.now - start < .seconds(5))
            }
        }

        @Test("A target that cannot be written is told by its path")
        func badTarget() async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                _ = try await bucket.put("a", "text")
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().download(bucket.object("a"), to: "/proc/none/b")
                }
                #expect(error?.kind == .file)
                #expect(error?.message.contains("/proc/none/b") == true)
            }
        }

        @Test("A storm of 503 makes fewer requests at a time, and their end more again")
        func throttling() async throws {
            try await withFaults(configuring: { $0.retry.attempts = 1_000 }) { bucket, proxy async throws in
                let folder = try Folder()
                let bytes = SampleFile.bytes(16 << 20)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                let transfers = bucket.transfers { $0.partSize = 64 << 10 }
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "GetObject", "after": 40},
                          "action": {"do": "status", "status": 503, "code": "SlowDown"}}]
                        """)
                let download = Task { try await transfers.download(bucket.object("a"), to: folder.file("b")) }
                // Halved once a second, from 8 or more.
                let start = ContinuousClock.now
                while await transfers.gate.limit > 2, ContinuousClock.now - start < .seconds(20) {
                    _ = try await proxy.state()
                }
                #expect(await transfers.gate.limit <= 2)
                try await proxy.set(
                    rules: #"[{"match": {"operation": "GetObject"}, "action": {"do": "delay", "seconds": 0.02}}]"#)
                try await proxy.resetCounters()
                _ = try await download.value
                #expect(try folder.bytes(of: "b") == bytes)
                #expect(await transfers.gate.limit >= 8)
                let seen = try #require(try await proxy.state().operations["GetObject"])
                #expect(seen.peakInFlight >= 6)
                #expect(seen.peakInFlight <= 16)
            }
        }
    }
}
