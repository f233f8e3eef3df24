import S3Client
import Synchronization
import Testing

extension Integration {
    @Suite struct UploadTests {
        private static let mebibyte = 1 << 20

        /// What proves an upload there.
        private static func proof(_ store: TestStore) -> UploadProof? {
            switch store {
            case .aws, .r2: .serverChecksum
            case .rclone: nil
            default: .etag
            }
        }

        private func roundTrip(_ store: TestStore, _ size: Int) async throws {
            try await withBucket(on: store) { bucket async throws in
                let folder = try Folder()
                let file = try folder.sample(size, seed: UInt64(size))
                let steps = Mutex<[Int64]>([])
                var options = PutOptions()
                options.metadata = ["sha256": "0123"]
                let outcome = try await bucket.transfers().upload(
                    file.path, to: bucket.object("a/b"), options: options,
                    progress: { done, total in
                        #expect(total == Int64(size))
                        steps.withLock { $0.append(done) }
                    })
                #expect(outcome.proof == Self.proof(store))
                #expect(outcome.resumedParts == 0)
                #expect(outcome.sentParts == max(1, (size + 5 * Self.mebibyte - 1) / (5 * Self.mebibyte)))
                #expect(steps.withLock { $0.max() } == Int64(size))
                #expect(steps.withLock { $0.count } <= outcome.sentParts + 1)

                let head = try await bucket.transfers().download(bucket.object("a/b"), to: folder.file("b"))
                #expect(head.size == Int64(size))
                if store.capabilities.contains(.metadata) { #expect(head.metadata["sha256"] == "0123") }
                #expect(try folder.bytes(of: "b") == file.bytes)
                #expect(folder.exists("b.progress") == false)
                if store.capabilities.contains(.pendingUploads) {
                    #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
                }
            }
        }

        @Test(
            "A file of any size goes up and comes down as it was, on a server as it is",
            arguments: TestStore.real,
            [0, 1, 5 << 20, (5 << 20) + 1, 10 << 20, (16 << 20) + 7, (33 << 20) + 3])
        func anySize(_ store: TestStore, _ size: Int) async throws { try await roundTrip(store, size) }

        @Test("80 MiB and a tail go up and come down", arguments: [TestStore.rgw, .rgwTLS])
        func large(_ store: TestStore) async throws { try await roundTrip(store, (80 << 20) + 12_345) }

        @Test("A file goes up in parts and comes down behind every provider", arguments: TestStore.simulated)
        func providers(_ store: TestStore) async throws { try await roundTrip(store, (12 << 20) + 5) }

        @Test(
            "After the connection failed, only what is missing is sent",
            arguments: [TestStore.rgw, .moto] + TestStore.simulated)
        func resumed(_ store: TestStore) async throws {
            try await withFaults(on: store, configuring: { $0.retry.attempts = 2 }) { bucket, proxy async throws in
                let file = try Folder().sample((40 << 20) + 77)
                let sessions = Sessions()
                let transfers = bucket.transfers { $0.concurrency = 2 }
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "UploadPart", "after": 4}, "action": {"do": "reset", "when": "at_start"}}]
                        """)
                let failed = await #expect(throws: S3Error.self) {
                    try await transfers.upload(
                        file.path, to: bucket.object("a"), began: { sessions.note($0) })
                }
                #expect(failed?.kind == .transport)
                let session = try #require(sessions.current)
                let there = try await bucket.client.listParts(bucket.object("a"), uploadID: session.uploadID)
                #expect(!there.isEmpty)

                try await proxy.set(rules: "[]")
                try await proxy.resetCounters()
                let outcome = try await transfers.upload(
                    file.path, to: bucket.object("a"), session: session, began: { sessions.note($0) })
                // A part that was on its way when the upload failed may have landed since.
                #expect(outcome.resumedParts >= there.count)
                #expect(outcome.resumedParts + outcome.sentParts == 9)
                // A server that is slow may close a connection, and the part is then asked for a second time.
                let requests = try await proxy.requests("UploadPart")
                #expect((outcome.sentParts...2 * outcome.sentParts).contains(requests))
                #expect(try await proxy.requests("CreateMultipartUpload") == 0)
                #expect(outcome.proof == Self.proof(store))
                #expect(sessions.current == nil)
                #expect(try await bucket.read("a") == file.bytes)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }

        @Test("Parts of another content are sent anew")
        func resumedWithOtherParts() async throws {
            try await withFaults { bucket, proxy async throws in
                let folder = try Folder()
                let file = try folder.sample(15 << 20)
                let token = "token-1"
                var options = PutOptions()
                options.metadata[S3Client.uploadToken] = token
                let id = try await bucket.client.createMultipartUpload(bucket.object("a"), options: options)
                func send(_ number: Int, _ bytes: [UInt8]) async throws {
                    _ = try await bucket.client.uploadPart(
                        bucket.object("a"), uploadID: id, number: number, .bytes(bytes))
                }
                try await send(1, Array(file.bytes[..<(5 << 20)]))
                try await send(2, SampleFile.bytes(5 << 20, seed: 99))
                try await send(3, [1, 2, 3])
                let session = UploadSession(uploadID: id, partSize: 5 << 20, token: token)
                try await proxy.resetCounters()
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("a"), session: session)
                #expect(outcome.resumedParts == 1)
                #expect(try await proxy.requests("UploadPart") == 2)
                #expect(try await bucket.read("a") == file.bytes)
            }
        }

        @Test("Parts beyond the file's end are another file's: it begins anew, and nothing is left of them")
        func resumedWithAnotherFile() async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                let file = try Folder().sample(11 << 20)
                let object = bucket.object("a")
                let id = try await bucket.client.createMultipartUpload(object)
                _ = try await bucket.client.uploadPart(
                    object, uploadID: id, number: 1, .bytes(Array(file.bytes[..<(5 << 20)])))
                _ = try await bucket.client.uploadPart(object, uploadID: id, number: 4, .bytes([1, 2, 3]))
                let outcome = try await bucket.transfers().upload(
                    file.path, to: object, session: UploadSession(uploadID: id, partSize: 5 << 20, token: "t"))
                #expect(outcome.resumedParts == 0)
                #expect(try await bucket.read("a") == file.bytes)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }

        @Test("A session whose upload is gone begins anew", arguments: [TestStore.rgw, .moto])
        func resumedAfterAbort(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let file = try Folder().sample(11 << 20)
                let id = try await bucket.client.createMultipartUpload(bucket.object("a"))
                try await bucket.client.abortMultipartUpload(bucket.object("a"), uploadID: id)
                let sessions = Sessions()
                let outcome = try await bucket.transfers().upload(
                    file.path, to: bucket.object("a"),
                    session: UploadSession(uploadID: id, partSize: 5 << 20, token: "t"),
                    began: { sessions.note($0) })
                #expect(outcome.resumedParts == 0)
                #expect(sessions.all.first == .some(nil))
                #expect(sessions.current == nil)
                #expect(try await bucket.read("a") == file.bytes)
            }
        }

        @Test("A session whose object is there already is done without a part sent")
        func resumedAfterCompletion() async throws {
            try await withFaults { bucket, proxy async throws in
                let file = try Folder().sample(11 << 20)
                let sessions = Sessions()
                _ = try await bucket.transfers().upload(
                    file.path, to: bucket.object("a"), began: { sessions.note($0) })
                let session = try #require(sessions.all.compactMap { $0 }.first)
                try await proxy.resetCounters()
                let outcome = try await bucket.transfers().upload(
                    file.path, to: bucket.object("a"), session: session)
                #expect(outcome.sentParts == 0)
                #expect(outcome.proof == .etag)
                #expect(try await proxy.requests("UploadPart") == 0)
            }
        }

        @Test("A refusal aborts the upload: nothing is left to pay for")
        func refused() async throws {
            try await withFaults { bucket, proxy async throws in
                let file = try Folder().sample(30 << 20)
                let sessions = Sessions()
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "UploadPart", "part": 3},
                          "action": {"do": "status", "status": 403, "code": "AccessDenied", "message": "no"}}]
                        """)
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().upload(
                        file.path, to: bucket.object("a"), began: { sessions.note($0) })
                }
                #expect(error?.code == "AccessDenied")
                #expect(sessions.all.count == 2)
                #expect(sessions.current == nil)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
                #expect(try await bucket.keys() == [])
            }
        }

        @Test("A cancelled upload stops at once, and goes on later")
        func cancelled() async throws {
            try await withFaults { bucket, proxy async throws in
                let file = try Folder().sample(30 << 20)
                let sessions = Sessions()
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "UploadPart", "part": [3, 4, 5, 6]},
                          "action": {"do": "bandwidth", "bytes_per_second": 100000, "direction": "request"}}]
                        """)
                let upload = Task {
                    try await bucket.transfers().upload(
                        file.path, to: bucket.object("a"), began: { sessions.note($0) })
                }
                try await proxy.until { ($0.operations["UploadPart"]?.statuses["200"] ?? 0) >= 2 }
                let start = ContinuousClock.now
                upload.cancel()
                await #expect(throws: CancellationError.self) { try await upload.value }
                #expect(ContinuousClock.now - start < .seconds(5))
                let session = try #require(sessions.current)
                try await proxy.set(rules: "[]")
                let outcome = try await bucket.transfers().upload(
                    file.path, to: bucket.object("a"), session: session)
                #expect(outcome.resumedParts >= 2)
                #expect(try await bucket.read("a") == file.bytes)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }

        @Test("A file that shrinks while it is sent is told, and no upload is left")
        func shrinking() async throws {
            try await withFaults { bucket, proxy async throws in
                let file = try Folder().sample(40 << 20)
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "UploadPart"},
                          "action": {"do": "bandwidth", "bytes_per_second": 500000, "direction": "request"}}]
                        """)
                let upload = Task { try await bucket.transfers().upload(file.path, to: bucket.object("a")) }
                try await proxy.until { ($0.operations["UploadPart"]?.inFlight ?? 0) > 0 }
                try file.truncate(to: 1_000)
                let error = await #expect(throws: S3Error.self) { try await upload.value }
                #expect(error?.kind == .file)
                #expect(error?.message.contains("changed meanwhile") == true)
                #expect(error?.message.contains(file.path) == true)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
                #expect(try await bucket.keys() == [])
            }
        }

        @Test("A file that is not there is told by its path")
        func missing() async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                let path = try Folder().file("none")
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().upload(path, to: bucket.object("a"))
                }
                #expect(error?.message == "cannot open \(path): No such file or directory")
            }
        }
    }
}

/// What an upload tells of its sessions.
final class Sessions: Sendable {
    private let told = Mutex<[UploadSession?]>([])

    func note(_ session: UploadSession?) { told.withLock { $0.append(session) } }

    var all: [UploadSession?] { told.withLock { $0 } }
    var current: UploadSession? { all.last ?? nil }
}
