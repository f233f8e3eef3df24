import BackupCatalog
import BackupCore
import Foundation
import Testing

/// What every ``CatalogStore`` must do. An implementation joins by adding itself to ``CatalogImplementation``.
enum CatalogImplementation: String, CaseIterable, Sendable {
    /// A file that is the catalog's own.
    case sqlite
    /// The catalog within the database of Elder, whose tables it adopted and which holds no rows.
    case adopted

    func make(in directory: TemporaryDirectory) throws -> any CatalogStore {
        let path = directory.file("catalog.sqlite")
        if self == .adopted { try ElderDatabase.createEmpty(at: path) }
        return try SQLiteCatalog.open(path: path, migrate: self == .adopted)
    }
}

private let noon = Timestamp(microseconds: 1_761_739_200_123_456)
private let process = ProcessIdentity(host: "host", pid: 42, start: "boot 1")

@Suite struct CatalogContract {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func change(_ name: String?, _ edit: (inout BackupJobChange) -> Void = { _ in }) -> BackupJobChange {
        var change = BackupJobChange()
        change.name = name
        edit(&change)
        return change
    }

    @Test(arguments: CatalogImplementation.allCases)
    func makesAndReadsJobs(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        #expect(try catalog.jobs(enabled: nil) == [])
        let plain = try catalog.createJob(change("  nightly \n"), defaultRetentionDays: 9, at: noon)
        #expect(plain.name == "nightly")
        #expect(plain.retention == RetentionPolicy(days: 9))
        #expect(plain.enabled)
        #expect(UUID(uuidString: plain.uuid) != nil)
        #expect(plain.createdAt == noon && plain.updatedAt == noon && plain.lastRunAt == nil)
        let full = try catalog.createJob(
            change("Ünïcödé \"quoted\" 'name'") {
                $0.schedule = "30 2 * * mon-fri"
                $0.timeZone = "Europe/Berlin"
                $0.retention.days = 1
                $0.retention.daily = 7
                $0.retention.maximumBytes = 5 << 40
                $0.enabled = false
                $0.description = "two\nlines"
                $0.source = "sqlite:/var/lib/app.db"
                $0.includeTables = ["a", "\"b\"", "é/\\"]
                $0.excludeTables = ["c"]
            }, defaultRetentionDays: 9, at: noon)
        #expect(full.includeTables == ["a", "\"b\"", "é/\\"])
        #expect(full.excludeTables == ["c"])
        #expect(full.schedule == "30 2 * * mon-fri")
        #expect(full.source == "sqlite:/var/lib/app.db")
        #expect(full.description == "two\nlines")
        #expect(
            full.timeZone == "Europe/Berlin" && full.retention.summary == "1 day, daily 7, at most 5497558138880 bytes")
        #expect(!full.enabled && full.uuid != plain.uuid && full.id != plain.id)
        #expect(try catalog.job(id: full.id) == full)
        #expect(try catalog.job(named: full.name) == full)
        #expect(try catalog.job(named: "nobody") == nil)
        #expect(try catalog.job(id: 999) == nil)
        #expect(try catalog.jobs(enabled: nil) == [plain, full])
        #expect(try catalog.jobs(enabled: true) == [plain])
        #expect(try catalog.jobs(enabled: false) == [full])
    }

    @Test(arguments: CatalogImplementation.allCases)
    func refusesJobsThatMakeNoSense(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let taken = try catalog.createJob(change("taken"), defaultRetentionDays: 9, at: noon)
        let other = try catalog.createJob(change("other"), defaultRetentionDays: 9, at: noon)
        let wrong: [(inout BackupJobChange) -> Void] = [
            { $0.name = "" }, { $0.name = " \n" },
            { $0.name = "a\u{1}b" },
            { $0.name = String(repeating: "é", count: 256) }, { $0.retention.days = 0 }, { $0.retention.days = -1 },
            { $0.retention.days = .max }, { $0.retention.hourly = -1 }, { $0.retention.minimum = 0 },
            { $0.retention.maximumBytes = -1 }, { $0.timeZone = "Mars/Olympus" }, { $0.schedule = "every night" },
            { $0.schedule = "* * * *" },
            { $0.schedule = "60 * * * *" }, { $0.source = "app.db" }, { $0.includeTables = [""] },
            { $0.excludeTables = ["a", ""] },
        ]
        let names: [(inout BackupJobChange) -> Void] = [{ $0.name = "taken" }, { $0.name = " taken " }]
        for (edit, code) in wrong.map({ ($0, BackupError.Code.usage) }) + names.map({ ($0, .taken) }) {
            let created = #expect(throws: BackupError.self) {
                try catalog.createJob(change("new", edit), defaultRetentionDays: 9, at: noon)
            }
            #expect(created?.code == code)
            let updated = #expect(throws: BackupError.self) {
                try catalog.updateJob(id: other.id, change(nil, edit), at: noon.adding(days: 1))
            }
            #expect(updated?.code == code)
        }
        #expect(throws: BackupError.self) { try catalog.createJob(change(nil), defaultRetentionDays: 9, at: noon) }
        #expect(try catalog.jobs(enabled: nil) == [taken, other])
        let long = String(repeating: "é", count: 255)
        #expect(try catalog.createJob(change(long), defaultRetentionDays: 9, at: noon).name == long)
    }

    @Test(arguments: CatalogImplementation.allCases)
    func changesOnlyWhatIsGiven(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let later = noon.adding(days: 1)
        var job = try catalog.createJob(
            change("job") {
                $0.schedule = "@daily"
                $0.includeTables = ["a"]
                $0.excludeTables = ["b"]
                $0.source = "sqlite:x"
                $0.description = "d"
            }, defaultRetentionDays: 9, at: noon)
        job.updatedAt = later
        #expect(try catalog.updateJob(id: job.id, change(nil), at: later) == job)
        job.enabled = false
        job.scheduleChangedAt = later
        job.excludeTables = ["c", "d"]
        #expect(
            try catalog.updateJob(
                id: job.id,
                change("job") {
                    $0.enabled = false
                    $0.excludeTables = ["c", "d"]
                }, at: later) == job)
        let emptied = try catalog.updateJob(
            id: job.id,
            change("renamed") {
                $0.schedule = ""
                $0.includeTables = []
                $0.source = ""
                $0.description = ""
            }, at: later)
        #expect(emptied.schedule == nil && emptied.includeTables == nil && emptied.source == nil)
        #expect(emptied.description == nil && emptied.name == "renamed" && emptied.excludeTables == ["c", "d"])
        let error = #expect(throws: BackupError.self) { try catalog.updateJob(id: 999, change(nil), at: later) }
        #expect(error?.code == .notFound)
    }

    @Test("A change of the retention leaves the rules that it does not name", arguments: CatalogImplementation.allCases)
    func changesRetention(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try catalog.createJob(change("job") { $0.retention.daily = 7 }, defaultRetentionDays: 9, at: noon)
        func update(_ edit: (inout BackupJobChange) -> Void) throws -> String {
            try catalog.updateJob(id: job.id, change(nil, edit), at: noon).retention.summary
        }
        #expect(job.retention.summary == "9 days, daily 7")
        #expect(try update { $0.retention.weekly = 4 } == "9 days, daily 7, weekly 4")
        #expect(try update { $0.retention.days = 0 } == "daily 7, weekly 4")
        #expect(throws: BackupError.self) { _ = try update { $0.retention = zeroes } }
        #expect(try update { $0.enabled = false } == "daily 7, weekly 4")
        #expect(try update { $0.retention.days = 30 } == "30 days, daily 7, weekly 4")
        #expect(try catalog.job(id: job.id)?.retention.summary == "30 days, daily 7, weekly 4")
    }

    private var zeroes: RetentionChange { RetentionChange(RetentionPolicy(days: 0)) }

    @Test(arguments: CatalogImplementation.allCases)
    func deletesJobsButNotTheirBackups(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try catalog.createJob(change("job"), defaultRetentionDays: 9, at: noon)
        let record = try catalog.beginRun(
            jobID: job.id, filename: "f", filePath: "/b/f", content: nil, process: process, at: noon)
        try catalog.deleteJob(id: job.id)
        #expect(try catalog.job(id: job.id) == nil)
        #expect(try catalog.record(id: record.id) == record)
        let error = #expect(throws: BackupError.self) { try catalog.deleteJob(id: job.id) }
        #expect(error?.code == .notFound)
        // The id stands in the names of files: it is never given again.
        #expect(try catalog.createJob(change("job"), defaultRetentionDays: 9, at: noon).id > job.id)
    }

    @Test(arguments: CatalogImplementation.allCases)
    func keepsRunsFromTheirFirstMoment(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try catalog.createJob(change("job"), defaultRetentionDays: 9, at: noon)
        let later = noon.adding(days: 1)
        var record = try catalog.beginRun(
            jobID: job.id, filename: "backup_1.json.gz", filePath: "/b/backup_1.json.gz", content: nil,
            process: process, at: later)
        #expect(record.status == .running && record.process == process && record.localState == .none)
        #expect(record.startedAt == later && record.createdAt == later && record.jobID == job.id)
        #expect(try catalog.record(id: record.id) == record)
        #expect(try catalog.job(id: job.id)?.lastRunAt == later)
        record.filename = "backup_1_2.json.gz"
        record.filePath = "/b/backup_1_2.json.gz"
        record.fileSize = 5_000_000_000
        record.recordCount = 12
        record.status = .completed
        record.errorMessage = "upload failed"
        record.completedAt = later.adding(days: 1)
        record.durationSeconds = 12.625
        record.updatedAt = later.adding(days: 2)
        record.sha256 = String(repeating: "a", count: 64)
        record.verifiedAt = later.adding(days: 3)
        record.localState = .present
        try catalog.update(record)
        #expect(try catalog.record(id: record.id) == record)
        record.process = nil
        record.errorMessage = nil
        record.localState = .damaged
        try catalog.update(record)
        #expect(try catalog.record(id: record.id) == record)
        try catalog.deleteRecord(id: record.id)
        #expect(try catalog.record(id: record.id) == nil)
        for body in [{ try catalog.update(record) }, { try catalog.deleteRecord(id: record.id) }] {
            #expect(#expect(throws: BackupError.self) { try body() }?.code == .notFound)
        }
        let error = #expect(throws: BackupError.self) {
            try catalog.beginRun(jobID: 999, filename: "f", filePath: "/f", content: nil, process: process, at: noon)
        }
        #expect(error?.code == .notFound)
        #expect(try catalog.records(jobID: nil, status: nil, limit: nil) == [])
    }

    @Test(arguments: CatalogImplementation.allCases)
    func listsNewestFirst(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try catalog.createJob(change("job"), defaultRetentionDays: 9, at: noon)
        let other = try catalog.createJob(change("other"), defaultRetentionDays: 9, at: noon)
        var made: [BackupRecord] = []
        for (index, day) in [3, 1, 2, 2].enumerated() {
            var record = try catalog.beginRun(
                jobID: index == 1 ? other.id : job.id, filename: "f\(day)", filePath: "/f", content: nil,
                process: process,
                at: noon.adding(days: day))
            record.status = index == 0 ? .running : index == 1 ? .failed : .completed
            record.fileSize = 1000
            try catalog.update(record)
            made.append(record)
        }
        #expect(try catalog.records(jobID: nil, status: nil, limit: nil) == [made[0], made[3], made[2], made[1]])
        #expect(try catalog.records(jobID: nil, status: nil, limit: 2) == [made[0], made[3]])
        #expect(try catalog.records(jobID: nil, status: nil, limit: 0) == [])
        #expect(try catalog.records(jobID: job.id, status: .completed, limit: nil) == [made[3], made[2]])
        #expect(try catalog.records(jobID: other.id, status: nil, limit: 5) == [made[1]])
        #expect(try catalog.records(jobID: nil, status: .running, limit: nil) == [made[0]])
        #expect(try catalog.records(filename: "f2") == [made[3], made[2]])
        #expect(try catalog.records(filename: "f9") == [])
        #expect(
            try catalog.statistics() == CatalogStatistics(total: 4, completed: 2, failed: 1, totalSize: 2000))
    }

    @Test(arguments: CatalogImplementation.allCases)
    func putsBackWhatWasLost(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        var lost = BackupJob(
            id: 17, uuid: "0b5f7f1c-0000-4000-8000-000000000001", name: "lost", schedule: "@hourly",
            retention: RetentionPolicy(days: 3),
            enabled: false, description: "d", source: "sqlite:x", includeTables: ["a"], excludeTables: nil,
            lastRunAt: noon, createdAt: noon, updatedAt: noon.adding(days: 1))
        lost.scheduleChangedAt = noon.adding(days: -1)
        try catalog.adoptJob(lost)
        #expect(try catalog.job(id: 17) == lost)
        try catalog.adoptJob(lost)
        var twin = lost
        twin.uuid = "0b5f7f1c-0000-4000-8000-000000000002"
        #expect(throws: BackupError.self) { try catalog.adoptJob(twin) }
        twin.id = 18
        try catalog.adoptJob(twin)
        #expect(try catalog.job(id: 18)?.name == "lost (job 18)")
        twin.id = 19
        #expect(throws: BackupError.self) { try catalog.adoptJob(twin) }
        #expect(try catalog.jobs(enabled: nil).map(\.id) == [17, 18])
        #expect(try catalog.createJob(change("new"), defaultRetentionDays: 9, at: noon).id == 19)
        let archive = BackupRecord(
            id: 99, jobID: 17, filename: "f", filePath: "/b/f", fileSize: 7, recordCount: 8, status: .completed,
            startedAt: noon, completedAt: noon, durationSeconds: 1, createdAt: noon, updatedAt: noon, sha256: "ab",
            localState: .present)
        let adopted = try catalog.adopt(archive)
        var expected = archive
        expected.id = adopted.id
        #expect(adopted == expected)
        #expect(try catalog.record(id: adopted.id) == expected)
        #expect(try catalog.adopt(archive).id != adopted.id)
    }

    @Test(arguments: CatalogImplementation.allCases)
    func backupsAreFoundByWhatTheyHold(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try catalog.createJob(change("job"), defaultRetentionDays: 9, at: noon)
        let app = BackupContent(identity: "app", scope: BackupContent.whole)
        let part = BackupContent(identity: "app", scope: "part")
        let contents = [app, part, nil, app, nil, app]
        for (number, content) in contents.enumerated() {
            var record = try catalog.beginRun(
                jobID: job.id, filename: "f\(number)", filePath: "/f\(number)", content: content, process: process,
                at: noon.adding(days: number))
            #expect(try catalog.record(id: record.id)?.content == content)
            record.status = number == 5 ? .failed : .completed
            try catalog.update(record)
        }
        func ids(_ content: BackupContent?, _ limit: Int = 9) throws -> [Int64] {
            try catalog.completed(jobID: job.id, holding: content, limit: limit).map(\.id)
        }
        #expect(try ids(app) == [4, 1] && ids(app, 1) == [4] && ids(part) == [2] && ids(nil) == [5, 3])
        #expect(try catalog.completed(jobID: job.id + 1, holding: app, limit: 9) == [])
    }

    @Test(arguments: CatalogImplementation.allCases)
    func theInstallationIsMadeOnce(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let id = try catalog.installationID()
        #expect(UUID(uuidString: id) != nil)
        #expect(try catalog.installationID() == id)
        let second = try SQLiteCatalog.open(path: directory.file("second.sqlite"), migrate: false)
        #expect(try second.installationID() != id)
    }
}
