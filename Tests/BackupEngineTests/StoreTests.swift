import BackupCore
import BackupEngine
import Foundation
import Glibc
import Testing

/// What needs no server: what a store that cannot be reached leaves behind, and what a sweep takes.
@Suite struct StoreTests {
    @Test("What was being fetched when a process died is swept; what is being fetched is not")
    func sweep() async throws {
        let bench = try Bench()
        let database = try TestDatabase(bench.file("source.sqlite"))
        try database.run("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        let engine = try await bench.engine()
        _ = try await engine.backUp(bench.file("source.sqlite"))
        let installation = try #require(try await engine.show(BackupReference("1")).archive.installation)
        let mark = installation.prefix(8)
        let dead = bench.backups + "/.fetch-\(mark)-dead"
        let alive = bench.backups + "/.fetch-\(mark)-alive"
        let foreign = bench.backups + "/.fetch-00000000-dead"
        for path in [dead, alive, foreign] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(filePath: path + "/backup_1.json.gz"))
        }
        let descriptor = open(alive, O_RDONLY | O_DIRECTORY)
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        defer { close(descriptor) }
        _ = try await bench.engine()
        #expect(!FileManager.default.fileExists(atPath: dead))
        #expect(FileManager.default.fileExists(atPath: alive + "/backup_1.json.gz"))
        #expect(FileManager.default.fileExists(atPath: foreign))
    }

    private func store(_ name: String, bucket: String) -> StoreSettings {
        var store = StoreSettings(name: name, bucket: bucket)
        // Nothing listens there, and the name does not ask a resolver.
        store.endpoint = "http://127.0.0.1:1"
        store.keys = StoreSettings.Keys(accessKey: "AKIA", secretKey: Secret("hunter2"))
        return store
    }

    @Test("A store that cannot be reached costs one wait, whatever there is to send")
    func unreachable() async throws {
        let bench = try Bench()
        let database = try TestDatabase(bench.file("source.sqlite"))
        try database.run("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        let plain = try await bench.engine()
        for _ in 0..<3 { _ = try await plain.backUp(bench.file("source.sqlite")) }
        let engine = try await bench.engine { configuration in
            configuration.remote = RemoteSettings(isEnabled: true, primary: store("s3", bucket: "bucket"))
        }
        let response = try await engine.uploadMissing()
        #expect(!response.success && response.failed == 3)
        #expect(response.copies.first?.error?.contains("Connection refused") == true)
        #expect(response.copies.dropFirst().allSatisfy { $0.error?.contains("not tried") == true })
        let records = try await engine.list()
        #expect(records.allSatisfy { $0.status == .completed && $0.remote.s3State == .failed })
        #expect(try await engine.verify([], all: true).ok)
        #expect(!"\(response)\(records)".contains("hunter2"))
        // Nothing is there, so nothing hinders.
        _ = try await plain.show(BackupReference("1"))
    }

    @Test("A copy that cannot be looked for keeps its backup")
    func lostStore() async throws {
        let bench = try Bench()
        let path = bench.file("source.sqlite")
        try TestDatabase(path).run("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        let engine = try await bench.engine()
        _ = try await engine.backUp(path)
        try TestDatabase(bench.backups + "/catalog.sqlite").run(
            "INSERT INTO backup_copies(backup_id, store, state, owner, endpoint, bucket, object_key, url)"
                + "VALUES (1, 's3', 'present', 'ours', 'https://old', 'bucket', 'key', 'https://old/bucket/key');"
                + "UPDATE backups SET s3_key = 'key', s3_url = 'https://old/bucket/key'")
        let error = await failure { _ = try await engine.delete(BackupReference("1")) }
        #expect(error.code == .configuration && error.message.contains("BACKUP_S3_BUCKET"))
        #expect(try await engine.list().count == 1 && bench.archiveFiles.count == 2)
        try FileManager.default.removeItem(atPath: try #require(try await engine.list().first).filePath)
        let missing = await failure { _ = try await engine.show(BackupReference("1")) }
        #expect(missing.message.contains("is not there") && missing.message.contains("BACKUP_S3_BUCKET"))
    }

    @Test("Secrets are in no description")
    func secrets() {
        let settings = RemoteSettings(isEnabled: true, primary: store("s3", bucket: "bucket"))
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!"\(settings)\(String(reflecting: settings))\(dumped)".contains("hunter2"))
    }
}
