import BackupCatalog
import BackupCore
import Foundation
import GRDB
import Testing

@Suite struct AdoptionTests {
    @Test func asksForMigrationFirst() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("elder.db")
        try ElderDatabase.create(at: path)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let error = #expect(throws: BackupError.self) { try SQLiteCatalog.open(path: path, migrate: false) }
        #expect(error?.code == .catalog)
        #expect(error?.message.contains("elder-backup catalog migrate") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    @Test func addsWhatIsMissingAndNothingElse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("elder.db")
        try ElderDatabase.create(at: path)
        let before = try ElderDatabase.dump(at: path)
        let changes = try SQLiteCatalog.migrate(path: path)
        #expect(changes.contains("added the column backups.s3_url"))
        #expect(changes.contains("added the column backups.s3_key"))
        #expect(changes.contains("added the column backup_jobs.schedule_changed_at"))
        #expect(changes.contains("gave 3 jobs a UUID"))
        // But for the secret, which is encrypted.
        let key = try DatabaseQueue(path: path).read {
            try String.fetchOne($0, sql: "SELECT s3_secret_key FROM backup_jobs WHERE id = 1") ?? ""
        }
        #expect(key.hasPrefix("v1:"))
        #expect(try ElderDatabase.dump(at: path).map { $0.replacingOccurrences(of: key, with: "secret") } == before)
        #expect(try SQLiteCatalog.migrate(path: path) == [])
        let first = try SQLiteCatalog.open(path: path, migrate: false)
        let second = try SQLiteCatalog.open(path: path, migrate: true)
        #expect(try first.installationID() == second.installationID())
        #expect(try first.jobs(enabled: nil) == second.jobs(enabled: nil))
    }

    @Test func readsEldersRows() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("elder.db")
        try ElderDatabase.create(at: path)
        let catalog = try SQLiteCatalog.open(path: path, migrate: true)
        let nightly = try #require(try catalog.job(named: "nightly"))
        #expect(nightly.enabled)
        #expect(nightly.retention == RetentionPolicy(days: 14))
        #expect(nightly.includeTables == ["entities", "issues"])
        #expect(nightly.excludeTables == nil)
        #expect(nightly.lastRunAt == Timestamp("2025-10-29 15:00:00"))
        #expect(nightly.updatedAt == Timestamp("2025-10-29 15:00:00.25"))
        #expect(nightly.scheduleChangedAt == nil)
        let rest = try #require(try catalog.job(id: 7))
        #expect(!rest.enabled)
        #expect(rest.retention == RetentionPolicy(days: 30))
        #expect(try catalog.job(id: 8)?.excludeTables == ["logs"])
        #expect(try catalog.job(id: 8)?.schedule == nil)
        #expect(Set(try catalog.jobs(enabled: nil).map(\.uuid)).count == 3)
        #expect(try catalog.jobs(enabled: false).map(\.id) == [7])

        let completed = try #require(try catalog.record(id: 3))
        #expect(completed.status == .completed)
        #expect(completed.localState == .present)
        #expect(completed.fileSize == 1_048_576)
        #expect(completed.durationSeconds == 12.5)
        #expect(completed.s3Key == nil)
        let failed = try #require(try catalog.record(id: 4))
        #expect(failed.status == .failed)
        #expect(failed.localState == .none)
        #expect(failed.startedAt == Timestamp("2025-10-30 15:00:00.5"))
        // Without any date the file's name tells.
        #expect(try catalog.record(id: 5)?.startedAt == Timestamp("2025-10-31 01:02:03"))
        #expect(try catalog.record(id: 5)?.fileSize == 12)
        #expect(try catalog.record(id: 6)?.status == .failed)
        #expect(try catalog.record(id: 6)?.errorMessage?.contains("pending") == true)
        #expect(try catalog.records(jobID: nil, status: .failed, limit: nil).map(\.id) == [4, 6])
        #expect(
            try catalog.statistics()
                == CatalogStatistics(total: 4, completed: 2, failed: 2, totalSize: 1_048_588))
    }

    @Test func writesInEldersForm() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("elder.db")
        try ElderDatabase.create(at: path)
        let catalog = try SQLiteCatalog.open(path: path, migrate: true)
        var change = BackupJobChange()
        change.name = "hourly"
        change.excludeTables = ["logs"]
        let now = try #require(Timestamp("2026-01-02 03:04:05.000006"))
        let job = try catalog.createJob(change, defaultRetentionDays: 9, at: now)
        var off = BackupJobChange()
        off.enabled = false
        _ = try catalog.updateJob(id: 1, off, at: now)
        let queue = try DatabaseQueue(path: path)
        let row = try #require(
            try queue.read { try Row.fetchOne($0, sql: "SELECT * FROM backup_jobs WHERE id = ?", arguments: [job.id]) })
        #expect(row["enabled"] == "T")
        #expect(row["s3_enabled"] == "F")
        #expect(row["created_at"] == "2026-01-02 03:04:05.000006")
        #expect(row["config_json"] == #"{"exclude_tables":["logs"],"include_tables":null}"#)
        let updated = try #require(
            try queue.read { try Row.fetchOne($0, sql: "SELECT * FROM backup_jobs WHERE id = 1") })
        #expect(updated["enabled"] == "F")
        #expect(updated["s3_secret_key"] == "secret")
        #expect(updated["config_json"] == #"{"include_tables": ["entities", "issues"], "exclude_tables": []}"#)
    }

    @Test func deletingAJobKeepsItsBackupsInSpiteOfTheCascade() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("elder.db")
        try ElderDatabase.create(at: path)
        let catalog = try SQLiteCatalog.open(path: path, migrate: true)
        try catalog.deleteJob(id: 1)
        #expect(try catalog.records(jobID: 1, status: nil, limit: nil).map(\.id) == [4, 3])
    }

    @Test func aJobThatElderAddsLaterGetsAUUID() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("elder.db")
        try ElderDatabase.create(at: path)
        let catalog = try SQLiteCatalog.open(path: path, migrate: true)
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "INSERT INTO backup_jobs(name, enabled) VALUES ('later', 'T')") }
        let uuid = try #require(try catalog.job(named: "later")?.uuid)
        #expect(UUID(uuidString: uuid) != nil)
        #expect(try catalog.job(named: "later")?.uuid == uuid)
        // Nor does the next start ask for a migration on that account.
        try queue.write { try $0.execute(sql: "INSERT INTO backup_jobs(name, enabled) VALUES ('last', 'T')") }
        let again = try SQLiteCatalog.open(path: path, migrate: false)
        #expect(try again.jobs(enabled: nil).allSatisfy { !$0.uuid.isEmpty })
    }

    @Test(arguments: ["{", "[]", "1", #"{"include_tables":"x"}"#, #"{"include_tables":[1]}"#])
    func unreadableTablesAreAnErrorThatCanBeRepaired(_ config: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("elder.db")
        try ElderDatabase.create(at: path)
        let catalog = try SQLiteCatalog.open(path: path, migrate: true)
        let queue = try DatabaseQueue(path: path)
        try queue.write {
            try $0.execute(sql: "UPDATE backup_jobs SET config_json = ? WHERE id = 7", arguments: [config])
        }
        let job = try #require(try catalog.job(id: 7))
        #expect(job.fault?.hasPrefix("job 7: config_json cannot be read (") == true)
        #expect(job.fault?.contains("job update JOB --tables") == true)
        let error = #expect(throws: BackupError.self) { try job.requireReadable() }
        #expect(error?.code == .catalog)
        // The others are as they were.
        let jobs = try catalog.jobs(enabled: nil)
        #expect(jobs.count > 1 && jobs.filter { $0.fault == nil }.count == jobs.count - 1)
        // What has nothing to do with it can be changed, and repairs nothing.
        var change = BackupJobChange()
        change.name = "renamed"
        #expect(try catalog.updateJob(id: 7, change, at: .now()).fault == job.fault)
        #expect(try catalog.job(named: "renamed")?.fault == job.fault)
        change.includeTables = ["entities"]
        change.excludeTables = []
        let repaired = try catalog.updateJob(id: 7, change, at: .now())
        #expect(repaired.includeTables == ["entities"] && repaired.fault == nil)
        try queue.write {
            try $0.execute(sql: "UPDATE backup_jobs SET config_json = ? WHERE id = 7", arguments: [config])
        }
        try catalog.deleteJob(id: 7)
        #expect(try catalog.job(id: 7) == nil)
    }

    @Test("An option that cannot be read is repaired by setting it")
    func unreadableOption() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        let catalog = try SQLiteCatalog.open(path: path, migrate: false)
        var change = BackupJobChange()
        change.name = "job"
        change.includeTables = ["a"]
        let job = try catalog.createJob(change, defaultRetentionDays: 9, at: Timestamp.now())
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "UPDATE backup_jobs SET config_json = json_set(config_json, '$.retries', 'many')")
        }
        #expect(try catalog.job(id: job.id)?.fault?.contains("retries is not a number") == true)
        var repair = BackupJobChange()
        repair.options.retries = .set(2)
        let repaired = try catalog.updateJob(id: job.id, repair, at: Timestamp.now())
        #expect(repaired.fault == nil && repaired.options.retries == 2 && repaired.includeTables == ["a"])
    }

    @Test func refusesATableThatIsNoCatalogs() throws {
        let directory = try TemporaryDirectory()
        for (index, sql) in [
            "CREATE TABLE backups(id INTEGER PRIMARY KEY, title TEXT)",
            "\(ElderDatabase.jobs); CREATE TABLE backups AS SELECT 1 AS id",
            "CREATE TABLE backup_jobs(id INTEGER PRIMARY KEY, name TEXT, owner TEXT NOT NULL)",
        ].enumerated() {
            let path = directory.file("other\(index).db")
            try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            for migrate in [false, true] {
                let error = #expect(throws: BackupError.self) { try SQLiteCatalog.open(path: path, migrate: migrate) }
                #expect(error?.code == .catalog)
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test func anApplicationsDatabaseGetsTheTablesOnlyWhenTold() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("app.db")
        try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE entities(id INTEGER PRIMARY KEY)") }
        #expect(throws: BackupError.self) { try SQLiteCatalog.open(path: path, migrate: false) }
        #expect(try SQLiteCatalog.migrate(path: path).contains("created the table backups"))
        #expect(try SQLiteCatalog.open(path: path, migrate: false).jobs(enabled: nil) == [])
        let names = try DatabaseQueue(path: path).read {
            try String.fetchSet(
                $0, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        }
        #expect(names == SQLiteCatalog.tables.union(["entities"]))
    }

    @Test("A retention that cannot be read is told, not guessed, and can be set again")
    func unreadableRetention() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        let catalog = try SQLiteCatalog.open(path: path, migrate: false)
        var change = BackupJobChange()
        change.name = "job"
        let job = try catalog.createJob(change, defaultRetentionDays: 9, at: Timestamp.now())
        try DatabaseQueue(path: path).write { try $0.execute(sql: "UPDATE backup_jobs SET retention_json = '{'") }
        let found = try #require(try catalog.jobs(enabled: nil).first)
        #expect(found.fault?.hasPrefix("job \(job.id): retention_json cannot be read") == true)
        // Whoever does not look at the fault deletes nothing either.
        #expect(found.retention.isUnlimited)
        var repair = BackupJobChange()
        repair.retention.days = 9
        #expect(try catalog.updateJob(id: job.id, repair, at: Timestamp.now()).retention == RetentionPolicy(days: 9))
        #expect(try catalog.jobs(enabled: nil).map(\.fault) == [nil])
    }

    @Test("A catalog of version 4 gets the schedule's columns when told to, and its jobs stay")
    func versionFour() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        var change = BackupJobChange()
        change.name = "job"
        change.schedule = "@daily"
        var job = try SQLiteCatalog.open(path: path, migrate: false)
            .createJob(change, defaultRetentionDays: 9, at: Timestamp.now())
        try DatabaseQueue(path: path).write {
            try $0.execute(
                sql: """
                    ALTER TABLE backup_jobs DROP COLUMN schedule_changed_at;
                    ALTER TABLE backup_jobs DROP COLUMN missed_at;
                    UPDATE elder_backup_meta SET value = '4' WHERE key = 'schema_version';
                    """)
        }
        let error = #expect(throws: BackupError.self) { try SQLiteCatalog.open(path: path, migrate: false) }
        #expect(error?.message.contains("elder-backup catalog migrate") == true)
        #expect(
            try SQLiteCatalog.migrate(path: path) == [
                "added the column backup_jobs.schedule_changed_at", "added the column backup_jobs.missed_at",
                "set the schema_version",
            ])
        job.scheduleChangedAt = nil
        #expect(try SQLiteCatalog.open(path: path, migrate: false).jobs(enabled: nil) == [job])
        #expect(try SQLiteCatalog.migrate(path: path) == [])
    }

    @Test func refusesANewerVersion() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("catalog.sqlite")
        _ = try SQLiteCatalog.open(path: path, migrate: false)
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "UPDATE elder_backup_meta SET value = '7' WHERE key = 'schema_version'")
        }
        for migrate in [false, true] {
            let error = #expect(throws: BackupError.self) { try SQLiteCatalog.open(path: path, migrate: migrate) }
            #expect(error?.code == .catalog)
            #expect(error?.message.contains("upgrade elder-backup") == true)
        }
    }
}
