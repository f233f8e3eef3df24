import BackupCatalog
import BackupCore
import Dispatch
import Foundation
import GRDB
import Glibc
import Synchronization
import Testing

@Suite struct CatalogFileTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test func makesDirectoriesAndFileForTheOwnerAlone() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a/b/catalog.sqlite")
        _ = try SQLiteCatalog.open(path: path, migrate: false)
        #expect(try mode(path) == 0o600)
        #expect(try mode(directory.file("a")) == 0o700)
        #expect(try mode(directory.file("a/b")) == 0o700)
        // An empty file, as a crash between making and filling it leaves it, is filled.
        let empty = directory.file("empty.sqlite")
        try Data().write(to: URL(fileURLWithPath: empty))
        #expect(try SQLiteCatalog.open(path: empty, migrate: false).jobs(enabled: nil) == [])
        // Nothing but the one file remains beside it.
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("a/b")) == ["catalog.sqlite"])
    }

    @Test func theNewTablesHaveEldersColumns() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        _ = try SQLiteCatalog.open(path: path, migrate: false)
        let queue = try DatabaseQueue(path: path)
        func names(_ table: String) throws -> [String] { try queue.read { try $0.columns(in: table).map(\.name) } }
        #expect(
            try names("backup_jobs") == [
                "id", "name", "schedule", "retention_days", "enabled", "description", "config_json", "s3_enabled",
                "s3_endpoint", "s3_bucket", "s3_region", "s3_access_key", "s3_secret_key", "s3_prefix", "last_run_at",
                "created_at", "updated_at", "uuid", "source_url", "time_zone", "retention_json", "s3_choice",
                "source_secret", "ping_secret", "schedule_changed_at", "missed_at",
            ])
        #expect(
            try names("backups") == [
                "id", "job_id", "filename", "file_path", "file_size", "record_count", "status", "error_message",
                "started_at", "completed_at", "duration_seconds", "s3_url", "s3_key", "created_at", "updated_at",
                "sha256", "verified_at", "local_state", "process_host", "process_pid", "process_start",
                "source_identity", "source_scope",
            ])
        for (table, secrets) in SQLiteCatalog.secretColumns {
            #expect(SQLiteCatalog.tables.contains(table))
            #expect(secrets.isSubset(of: Set(try names(table))))
        }
    }

    @Test func refusesWhatCannotBeACatalogInOneLine() throws {
        let directory = try TemporaryDirectory()
        let text = directory.file("text")
        try Data(repeating: 0x61, count: 5000).write(to: URL(fileURLWithPath: text))
        let damaged = directory.file("damaged.sqlite")
        _ = try SQLiteCatalog.open(path: damaged, migrate: false)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: damaged))
        bytes.replaceSubrange(100..<4000, with: Data(repeating: 0xFF, count: 3900))
        try bytes.write(to: URL(fileURLWithPath: damaged))
        let link = directory.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.file("nowhere"))
        for path in [
            directory.path, text, text + "/catalog.sqlite", damaged, link, "/dev/null", "/proc/catalog.sqlite",
        ] {
            for migrate in [false, true] {
                let error = #expect(throws: BackupError.self, "\(path)") {
                    try SQLiteCatalog.open(path: path, migrate: migrate)
                }
                #expect(error?.code == .catalog)
                #expect(
                    error?.message.contains(path) == true || error?.message.contains("/proc") == true
                        || path.hasPrefix(text))
                #expect(error?.message.contains("\n") == false)
            }
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: text)) == Data(repeating: 0x61, count: 5000))
    }

    @Test func manyWritersLoseNothing() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        let writers = 4
        let rounds = 25
        let failures = Mutex<[String]>([])
        // Each opens the catalog itself, so that also the making of the tables is contended for.
        DispatchQueue.concurrentPerform(iterations: writers) { writer in
            do {
                let catalog = try SQLiteCatalog.open(path: path, migrate: false)
                var change = BackupJobChange()
                change.name = "job \(writer)"
                let job = try catalog.createJob(change, defaultRetentionDays: 30, at: .now())
                for round in 0..<rounds {
                    var record = try catalog.beginRun(
                        jobID: job.id, filename: "f\(round)", filePath: "/f", content: nil, process: .current(),
                        at: .now())
                    record.status = .completed
                    try catalog.update(record)
                    _ = try catalog.records(jobID: job.id, status: nil, limit: 3)
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        let catalog = try SQLiteCatalog.open(path: path, migrate: false)
        #expect(try catalog.jobs(enabled: nil).count == writers)
        #expect(try catalog.statistics().completed == writers * rounds)
    }

    @Test func oneNameGoesToOneJob() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        let made = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            var change = BackupJobChange()
            change.name = "default"
            let catalog = try? SQLiteCatalog.open(path: path, migrate: false)
            if (try? catalog?.createJob(change, defaultRetentionDays: 30, at: .now())) != nil {
                made.withLock { $0 += 1 }
            }
        }
        #expect(made.withLock { $0 } == 1)
        #expect(try SQLiteCatalog.open(path: path, migrate: false).jobs(enabled: nil).count == 1)
    }

    @Test func whatAKilledWriterLeavesIsRolledBack() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        let copy = directory.file("copy.sqlite")
        let catalog = try SQLiteCatalog.open(path: path, migrate: false)
        var change = BackupJobChange()
        change.name = "job"
        let job = try catalog.createJob(change, defaultRetentionDays: 30, at: .now())
        let queue = try DatabaseQueue(path: path)
        try queue.inDatabase { database in
            try database.execute(sql: "PRAGMA cache_size=2; BEGIN IMMEDIATE; UPDATE backup_jobs SET name = 'changed'")
            // So many rows that pages go to the file before the commit.
            for number in 0..<2000 {
                try database.execute(
                    sql: "INSERT INTO backups(job_id, filename, status) VALUES (1, ?, 'completed')",
                    arguments: [String(repeating: "x", count: 200) + "\(number)"])
            }
            // What is on the disk now is what a kill would leave.
            for suffix in ["", "-journal"] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
            }
            try database.execute(sql: "ROLLBACK")
        }
        let size = try #require(try FileManager.default.attributesOfItem(atPath: copy)[.size] as? Int)
        #expect(size > 400_000)
        let recovered = try SQLiteCatalog.open(path: copy, migrate: false)
        #expect(try recovered.jobs(enabled: nil) == [job])
        #expect(try recovered.statistics().total == 0)
    }
}
