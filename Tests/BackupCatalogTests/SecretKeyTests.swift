import BackupCatalog
import BackupCore
import Foundation
import GRDB
import Glibc
import Testing

private let noon = Timestamp(microseconds: 1_761_739_200_123_456)

/// The file of the key, changes of keys that are cut off, and what is left of plain text.
@Suite struct SecretKeyTests {
    let directory: TemporaryDirectory
    private var path: String { directory.file("catalog.sqlite") }
    private var file: String { directory.file("secret.key") }

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> SQLiteCatalog { try SQLiteCatalog.open(path: path, migrate: false) }

    private func job(_ name: String, _ secret: String) -> BackupJobChange {
        var change = BackupJobChange()
        change.name = name
        change.store.accessKey = "AKIA"
        change.store.secretKey = Secret(secret)
        return change
    }

    private func make(_ name: String, _ secret: String = "hush") throws -> Int64 {
        try open().createJob(job(name, secret), defaultRetentionDays: 9, at: noon).id
    }

    private func secret(_ id: Int64) throws -> String? { try open().secrets(ofJob: id).storeKey?.revealed }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    @Test("The file is made when it is first needed, for its owner alone, and used from then on")
    func firstNeed() throws {
        var plain = BackupJobChange()
        plain.name = "plain"
        _ = try open().createJob(plain, defaultRetentionDays: 9, at: noon)
        #expect(try names == ["catalog.sqlite"])
        let first = try make("first")
        #expect(try names == ["catalog.sqlite", "secret.key"])
        #expect(try mode(file) == 0o600)
        let key = try Data(contentsOf: URL(filePath: file))
        #expect(SecretKey(String(decoding: key, as: UTF8.self)) != nil)
        _ = try make("second")
        #expect(try Data(contentsOf: URL(filePath: file)) == key)
        #expect(try secret(first) == "hush")
    }

    @Test("A file that others could read, or have made, is refused, and nothing is written")
    func refusals() throws {
        let id = try make("first")
        let good = try Data(contentsOf: URL(filePath: file))
        func expectRefusal(_ word: String) throws {
            for body in [{ _ = try secret(id) }, { _ = try make("other") }] {
                let error = #expect(throws: BackupError.self) { try body() }
                #expect(
                    error?.code == .configuration && error?.message.contains(word) == true,
                    "\(word): \(error?.message ?? "")")
                #expect(error?.message.contains(file) == true)
                #expect(error?.message.contains(String(decoding: good.prefix(40), as: UTF8.self)) == false)
            }
            #expect(try open().jobs(enabled: nil).map(\.name) == ["first"])
        }
        for mode: mode_t in [0o640, 0o604, 0o660, 0o620] {
            #expect(chmod(file, mode) == 0)
            try expectRefusal("chmod 600")
        }
        #expect(chmod(file, 0o600) == 0)
        #expect(try secret(id) == "hush")
        try FileManager.default.moveItem(atPath: file, toPath: directory.file("moved"))
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: directory.file("moved"))
        try expectRefusal("symbolic link")
        #expect(unlink(file) == 0)
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
        try expectRefusal("not a regular file")
        #expect(rmdir(file) == 0)
        #expect(mkfifo(file, 0o600) == 0)
        try expectRefusal("not a regular file")
        #expect(unlink(file) == 0)
        for content in ["", "abc\n", String(repeating: "A", count: 5000), "\u{0}\u{1}"] {
            try Data(content.utf8).write(to: URL(filePath: file))
            #expect(chmod(file, 0o600) == 0)
            try expectRefusal("32 bytes")
        }
        if geteuid() == 0 {
            try good.write(to: URL(filePath: file))
            #expect(chmod(file, 0o600) == 0 && chown(file, 65_534, 65_534) == 0)
            try expectRefusal("belongs to user 65534")
        }
    }

    @Test("Many at once agree on one key")
    func race() async throws {
        _ = try open()
        let path = path
        let ids = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<12 {
                let change = job("job \(number)", "secret \(number)")
                group.addTask {
                    try SQLiteCatalog.open(path: path, migrate: false)
                        .createJob(change, defaultRetentionDays: 9, at: noon).id
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for job in try open().jobs(enabled: nil) {
            #expect(try secret(job.id) == job.name.replacingOccurrences(of: "job", with: "secret"))
        }
        #expect(ids.count == 12)
        #expect(try names == ["catalog.sqlite", "secret.key"])
    }

    @Test("A new key takes the old one's place, and nothing of the old values is left")
    func rotation() throws {
        let ids = [try make("first"), try make("second", "other")]
        let old = try Data(contentsOf: URL(filePath: file))
        let sealed = try values()
        let counts = try open().rotateKey()
        #expect(counts.values == 2 && counts.jobs == 2)
        #expect(try Data(contentsOf: URL(filePath: file)) != old)
        #expect(try mode(file) == 0o600)
        #expect(try names == ["catalog.sqlite", "secret.key"])
        #expect(try secret(ids[0]) == "hush" && secret(ids[1]) == "other")
        let bytes = try Data(contentsOf: URL(filePath: path))
        for value in sealed { #expect(bytes.range(of: Data(value.utf8)) == nil) }
        let empty = try open().rotateKey()
        #expect(empty.values == 2)
    }

    private func values() throws -> [String] {
        try DatabaseQueue(path: path).read {
            try String.fetchAll($0, sql: "SELECT s3_secret_key FROM backup_jobs ORDER BY id")
        }
    }

    @Test("Wherever a change of keys is cut off, everything can be read, written, and the next one completes it")
    func cutOff() throws {
        let ids = [try make("first"), try make("second", "other")]
        let old = try Data(contentsOf: URL(filePath: file))
        func expectAllReadable() throws { #expect(try secret(ids[0]) == "hush" && secret(ids[1]) == "other") }
        func put(_ data: Data, _ name: String) throws {
            let target = directory.file(name)
            try data.write(to: URL(filePath: target))
            #expect(chmod(target, 0o600) == 0)
        }
        // The new key was made, and nothing was written with it.
        try put(
            Data((Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString() + "\n").utf8),
            "secret.key.next")
        let next = try Data(contentsOf: URL(filePath: directory.file("secret.key.next")))
        try expectAllReadable()
        // Who writes now writes with the new one.
        let third = try make("third", "late")
        #expect(try keyIDs().suffix(1) != keyIDs().prefix(1))
        _ = try open().rotateKey()
        #expect(try Data(contentsOf: URL(filePath: file)) == next)
        #expect(try Set(keyIDs()).count == 1)
        try expectAllReadable()
        // All was written with the new key, and it did not take its place yet.
        try put(old, "secret.key")
        try put(next, "secret.key.next")
        try expectAllReadable()
        #expect(try secret(third) == "late")
        _ = try open().rotateKey()
        #expect(try Data(contentsOf: URL(filePath: file)) == next)
        #expect(try names == ["catalog.sqlite", "secret.key"])
        try expectAllReadable()
    }

    private func keyIDs() throws -> [String] { try values().map { String($0.split(separator: ":")[1]) } }

    @Test("Readers and writers that go on while keys are changed miss nothing")
    func concurrency() async throws {
        let id = try make("first", "start")
        let path = path
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let catalog = try SQLiteCatalog.open(path: path, migrate: false)
                for _ in 0..<15 { _ = try catalog.rotateKey() }
            }
            group.addTask {
                let catalog = try SQLiteCatalog.open(path: path, migrate: false)
                for number in 0..<60 {
                    var change = BackupJobChange()
                    change.store.secretKey = Secret("value \(number)")
                    _ = try catalog.updateJob(id: id, change, at: noon)
                    #expect(try catalog.secrets(ofJob: id).storeKey?.revealed == "value \(number)")
                }
            }
            try await group.waitForAll()
        }
        #expect(try secret(id) == "value 59")
    }

    // MARK: Plain text

    @Test(
        "What Elder left in plain text is read, and gone from every file after the migration",
        arguments: ["WAL", "DELETE"])
    func plainText(_ journal: String) throws {
        let secret = "PLANTED/secret+of/elder"
        try ElderDatabase.create(at: path)
        // A connection that stays open keeps the write-ahead log from going by itself.
        let elder = try DatabaseQueue(path: path)
        try elder.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode=\(journal); PRAGMA secure_delete=OFF")
            for number in 0..<40 {
                // Rows that grow and move leave what they were behind.
                try database.execute(
                    sql:
                        "UPDATE backup_jobs SET s3_secret_key = ?, s3_access_key = 'AKIA', description = ? WHERE id = 1",
                    arguments: [secret + "\(number % 3)", String(repeating: "x", count: number * 150)])
            }
            try database.execute(
                sql: "UPDATE backup_jobs SET s3_secret_key = ?, description = '' WHERE id = 1", arguments: [secret])
        }
        func traces() throws -> Int {
            try names.filter { $0.hasPrefix("catalog.sqlite") }.reduce(0) { count, name in
                let bytes = try Data(contentsOf: URL(filePath: directory.file(name)))
                return count + (bytes.range(of: Data("PLANTED".utf8)) == nil ? 0 : 1)
            }
        }
        #expect(try traces() > 0)
        let before = try SQLiteCatalog.open(path: path, migrate: true)
        #expect(try before.secrets(ofJob: 1).storeKey?.revealed == secret)
        #expect(try !names.contains("secret.key"))
        let changes = try SQLiteCatalog.migrate(path: path)
        #expect(
            changes == ["encrypted 1 secret that stood in plain text", "removed what was left of them in the file"])
        #expect(try traces() == 0)
        #expect(try SQLiteCatalog.migrate(path: path) == [])
        #expect(try before.secrets(ofJob: 1).storeKey?.revealed == secret)
        // Elder's own service goes on, and may add another.
        try elder.write {
            try $0.execute(sql: "INSERT INTO backup_jobs(name, s3_secret_key) VALUES ('late', 'PLANTED again')")
        }
        #expect(try before.secrets(ofJob: 9).storeKey?.revealed == "PLANTED again")
        #expect(try SQLiteCatalog.migrate(path: path).first == "encrypted 1 secret that stood in plain text")
        #expect(try traces() == 0)
    }

    @Test("A cleaning that was cut off is done by the next migration")
    func scrubbedLater() throws {
        _ = try make("first")
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "INSERT INTO elder_backup_meta(key, value) VALUES ('secrets_to_scrub', '1')")
        }
        #expect(try SQLiteCatalog.migrate(path: path) == ["removed what was left of them in the file"])
        #expect(try SQLiteCatalog.migrate(path: path) == [])
    }

    @Test("Elder's default does not switch copies off, and its yes switches them on")
    func eldersChoice() throws {
        try ElderDatabase.create(at: path)
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "UPDATE backup_jobs SET s3_enabled = 'T', s3_bucket = 'b' WHERE id = 7")
        }
        let catalog = try SQLiteCatalog.open(path: path, migrate: true)
        #expect(try catalog.job(id: 1)?.store.isEnabled == nil)
        #expect(try catalog.job(id: 7)?.store.isEnabled == true)
        #expect(try catalog.job(id: 8)?.store.isEnabled == nil)
        var change = BackupJobChange()
        change.store.choice = .off
        #expect(try catalog.updateJob(id: 7, change, at: noon).store.isEnabled == false)
        change.store.choice = .on
        #expect(try catalog.updateJob(id: 1, change, at: noon).store.isEnabled == true)
        let kept = try DatabaseQueue(path: path).read {
            try String.fetchAll($0, sql: "SELECT s3_enabled FROM backup_jobs WHERE id IN (1, 7) ORDER BY id")
        }
        #expect(kept == ["T", "F"])
    }
}
