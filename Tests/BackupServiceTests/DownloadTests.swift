import BackupCatalog
import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import NetworkTestSupport
import Synchronization
import Testing

@Suite("What downloads fetch, check and keep")
struct DownloadTests {
    /// A store that holds archives and counts what is asked of it.
    private final class Store: Sendable {
        private struct State {
            var objects: [String: [UInt8]] = [:]
            var reads: [String: Int] = [:]
            var isHeld = false
        }

        private let state = Mutex(State())

        static func settings(_ server: LoopbackServer) -> RemoteSettings {
            var primary = StoreSettings(name: RemoteCopy.primaryStore, bucket: "bucket")
            primary.endpoint = server.origin
            primary.keys = StoreSettings.Keys(accessKey: "a", secretKey: Secret("b"))
            return RemoteSettings(isEnabled: false, primary: primary)
        }

        /// How often the first stretch of an object was asked for.
        func reads(_ key: String) -> Int { state.withLock { $0.reads[key] ?? 0 } }

        /// Whether what is asked for is kept waiting.
        func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

        func put(_ key: String, _ bytes: [UInt8]) { state.withLock { $0.objects[key] = bytes } }

        func answer(_ request: LoopbackServer.Request) async -> LoopbackServer.Answer? {
            let key = String(request.path.split(separator: "/").last ?? "")
            guard let bytes = state.withLock({ $0.objects[key] }) else { return LoopbackServer.Answer(404) }
            let headers = [("ETag", "\"tag\"")]
            guard request.method == "GET" else { return LoopbackServer.Answer(200, bytes: bytes, headers: headers) }
            let ends = (request["Range"] ?? "").dropFirst(6).split(separator: "-").compactMap { Int($0) }
            let first = ends.first ?? 0
            if first == 0 { state.withLock { $0.reads[key, default: 0] += 1 } }
            while state.withLock({ $0.isHeld }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
            guard ends.count == 2 else { return LoopbackServer.Answer(200, bytes: bytes, headers: headers) }
            let last = min(ends[1], bytes.count - 1)
            return LoopbackServer.Answer(
                206, bytes: Array(bytes[first...last]),
                headers: headers + [("Content-Range", "bytes \(first)-\(last)/\(bytes.count)")])
        }
    }

    /// A service with two backups that lie in the store alone.
    private static func with(
        settings change: @escaping (inout ServiceSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (ServiceBench, Store, [BackupResponse], [[UInt8]]) async throws -> Void
    ) async throws {
        let store = Store()
        try await LoopbackServer.serve({ await store.answer($0) }) { server in
            let origin = server.origin
            try await ServiceBench.with(remote: Store.settings(server), settings: { settings, _ in change(&settings) })
            {
                bench in
                var backups: [BackupResponse] = []
                var files: [[UInt8]] = []
                for _ in 0..<2 {
                    let backup = try await bench.engine.backup(BackupRequest())
                    files.append(try bench.sendAway(backup, to: origin))
                    store.put(backup.filename, files[files.count - 1])
                    backups.append(backup)
                }
                try await body(bench, store, backups, files)
            }
            store.hold(false)
        }
    }

    private static func path(_ backup: BackupResponse) -> String { "/api/v1/backup/\(backup.backupID)/download" }

    @Test("Stretches of a remote archive that are asked for at once, and after each other, cost one fetch")
    func shared() async throws {
        try await DownloadTests.with { bench, store, backups, files in
            let token = try await bench.token(.operator)
            let (path, file) = (DownloadTests.path(backups[0]), files[0])
            store.hold(true)
            let parts = (0..<16).map { number in
                Task {
                    try await bench.ask(.GET, path, token: token, headers: [("Range", "bytes=\(number)-\(number + 9)")])
                }
            }
            try await bench.until { store.reads(backups[0].filename) > 0 }
            try await Task.sleep(for: .milliseconds(200))
            store.hold(false)
            for (number, part) in parts.enumerated() {
                let reply = try await part.value
                #expect(reply.status == 206 && reply.body == Array(file[number..<number + 10]), "\(reply.error)")
            }
            let whole = try await bench.ask(.GET, path, token: token)
            #expect(whole.status == 200 && whole.body == file)
            #expect(store.reads(backups[0].filename) == 1)
        }
    }

    @Test("Size and ETag of a remote archive are told without fetching it, and so is that the client has it")
    func known() async throws {
        try await DownloadTests.with { bench, store, backups, files in
            let token = try await bench.token(.operator)
            let path = DownloadTests.path(backups[0])
            let head = try await bench.ask(.HEAD, path, token: token)
            #expect(head.status == 200 && head.headers.first(name: "Content-Length") == "\(files[0].count)")
            let tag = try #require(head.headers.first(name: "ETag"))
            #expect(tag == "\"\(backups[0].sha256)\"")
            let known = try await bench.ask(.GET, path, token: token, headers: [("If-None-Match", tag)])
            #expect(known.status == 304 && known.body.isEmpty)
            let beyond = try await bench.ask(.GET, path, token: token, headers: [("Range", "bytes=99999999-")])
            #expect(beyond.status == 416)
            #expect(store.reads(backups[0].filename) == 0)
            // Of what is nowhere nothing is told.
            try bench.catalog().deleteCopy(backupID: backups[0].backupID, store: RemoteCopy.primaryStore)
            #expect(try await bench.ask(.HEAD, path, token: token).status == 404)
        }
    }

    @Test("A range is for GET: HEAD tells of the whole")
    func headRange() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.operator)
            let backup = try await bench.engine.backup(BackupRequest())
            for range in ["bytes=0-9", "bytes=99999999-"] {
                let head = try await bench.ask(
                    .HEAD, DownloadTests.path(backup), token: token, headers: [("Range", range)])
                #expect(head.status == 200 && head.headers.first(name: "Content-Length") == "\(backup.fileSize)")
                #expect(head.headers.first(name: "Content-Range") == nil)
            }
        }
    }

    @Test("No more archives are fetched at a time than may be; those that nobody reads make room, or go by themselves")
    func bounded() async throws {
        try await DownloadTests.with(settings: { $0.mostFetched = 1 }) { bench, store, backups, files in
            let token = try await bench.token(.operator)
            store.hold(true)
            let first = Task { try await bench.ask(.GET, DownloadTests.path(backups[0]), token: token) }
            try await bench.until { store.reads(backups[0].filename) > 0 }
            let second = try await bench.ask(.GET, DownloadTests.path(backups[1]), token: token)
            #expect(second.status == 503 && second.headers.first(name: "Retry-After") != nil, "\(second.error)")
            #expect(store.reads(backups[1].filename) == 0)
            store.hold(false)
            #expect(try await first.value.body == files[0])
            try await bench.until { try bench.openFetched() == 1 }
            // The reader may be a moment behind its client.
            try await bench.until {
                try await bench.ask(.GET, DownloadTests.path(backups[1]), token: token).body == files[1]
            }
            try await bench.until { try bench.openFetched() == 1 }
        }
        try await DownloadTests.with(settings: { $0.fetchedLinger = .milliseconds(100) }) {
            bench, store, backups, files in
            let token = try await bench.token(.operator)
            #expect(try await bench.ask(.GET, DownloadTests.path(backups[0]), token: token).body == files[0])
            try await bench.until { try bench.openFetched() == 0 }
            #expect(try bench.hiddenFiles().isEmpty)
        }
    }

    @Test("A copy in the store that is not what was written is never sent")
    func damagedCopy() async throws {
        try await DownloadTests.with { bench, store, backups, files in
            let token = try await bench.token(.operator)
            var bytes = files[0]
            bytes[bytes.count / 2] ^= 0x40
            store.put(backups[0].filename, bytes)
            let reply = try await bench.ask(.GET, DownloadTests.path(backups[0]), token: token)
            #expect(reply.status == 500 && reply.json["code"] as? String == "damaged", "\(reply.error)")
        }
    }

    @Test("What the disk has no room for is not fetched")
    func noRoom() async throws {
        try await DownloadTests.with { bench, store, backups, _ in
            let token = try await bench.token(.operator)
            try ServiceBench.query(
                "UPDATE backups SET file_size = 1 << 60 WHERE id = \(backups[0].backupID)",
                on: bench.directory + "/backups/catalog.sqlite")
            let reply = try await bench.ask(.GET, DownloadTests.path(backups[0]), token: token)
            #expect(reply.status == 500 && reply.json["code"] as? String == "storage", "\(reply.error)")
            #expect(reply.error.contains("\(1 << 60) bytes are to be fetched"))
            let left = try bench.hiddenFiles()
            #expect(store.reads(backups[0].filename) == 0 && left.isEmpty)
        }
    }

    @Test(
        "A local file that is not what was written is never sent, whole or in stretches, also where it is the only one")
    func damagedFile() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.operator)
            let backup = try await bench.engine.backup(BackupRequest())
            let path = DownloadTests.path(backup)
            let good = try Data(contentsOf: URL(filePath: backup.filePath))
            #expect(try await bench.ask(.GET, path, token: token).status == 200)
            var bad = good
            bad[bad.count / 2] ^= 0x40
            try bad.write(to: URL(filePath: backup.filePath))
            for headers in [[], [("Range", "bytes=0-9")]] {
                let reply = try await bench.ask(.GET, path, token: token, headers: headers)
                #expect(reply.status == 500 && reply.json["code"] as? String == "damaged", "\(reply.error)")
            }
            #expect(try await bench.ask(.HEAD, path, token: token).status == 500)
            try good.write(to: URL(filePath: backup.filePath))
            #expect(try await bench.ask(.GET, path, token: token).body == Array(good))
        }
    }

    @Test("A service that stops does not wait for what is being fetched", .timeLimit(.minutes(1)))
    func stopping() async throws {
        let reply = Kept<ServiceBench.Reply>()
        let asking = Kept<Task<Void, any Error>>()
        try await DownloadTests.with { bench, store, backups, _ in
            let token = try await bench.token(.operator)
            store.hold(true)
            asking.value = Task {
                reply.value = try await bench.ask(.GET, DownloadTests.path(backups[0]), token: token)
            }
            try await bench.until { store.reads(backups[0].filename) > 0 }
        }
        try await asking.value?.value
        #expect(reply.value?.status == 503)
    }
}

extension ServiceBench {
    fileprivate func catalog() throws -> SQLiteCatalog {
        try SQLiteCatalog.open(path: directory + "/backups/catalog.sqlite", migrate: false)
    }

    /// Takes a backup's local file away, as if a store had the only copy; returns its bytes.
    fileprivate func sendAway(_ backup: BackupResponse, to origin: String) throws -> [UInt8] {
        let bytes = Array(try Data(contentsOf: URL(filePath: backup.filePath)))
        try FileManager.default.removeItem(atPath: backup.filePath)
        try catalog().save(
            RemoteCopy(
                backupID: backup.backupID, store: RemoteCopy.primaryStore, state: .present, endpoint: origin,
                bucket: "bucket", key: backup.filename, url: origin + "/bucket/" + backup.filename, at: Timestamp.now())
        )
        return bytes
    }

    /// Files of this bench that were fetched and are still held open.
    fileprivate func openFetched() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)
            return target?.contains(directory + "/backups/.fetch-") ?? false
        }
    }
}
