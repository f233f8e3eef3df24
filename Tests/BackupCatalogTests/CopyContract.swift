import BackupCatalog
import BackupCore
import GRDB
import Testing

private let noon = Timestamp(microseconds: 1_761_739_200_123_456)

/// What every ``CatalogStore`` must do with the copies of backups.
@Suite struct CopyContract {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A catalog with so many completed backups.
    private func catalog(_ implementation: CatalogImplementation, backups: Int = 1) throws -> any CatalogStore {
        let catalog = try implementation.make(in: directory)
        var change = BackupJobChange()
        change.name = "job"
        let job = try catalog.createJob(change, defaultRetentionDays: 9, at: noon)
        for number in 0..<backups {
            var record = try catalog.beginRun(
                jobID: job.id, filename: "f\(number)", filePath: "/b/f\(number)",
                content: nil, process: ProcessIdentity(host: "h", pid: 1, start: "s"), at: noon.adding(days: number))
            record.status = .completed
            record.fileSize = 1000
            try catalog.update(record)
        }
        return catalog
    }

    private func copy(
        _ backupID: Int64, _ store: String = "s3", _ state: RemoteCopy.State = .present
    ) -> RemoteCopy {
        RemoteCopy(
            backupID: backupID, store: store, state: state, endpoint: "https://minio:9000", bucket: "bucket",
            key: "p/f\(backupID)", url: "https://minio:9000/bucket/p/f\(backupID)", at: noon)
    }

    @Test("A copy is kept with everything that is known of it", arguments: CatalogImplementation.allCases)
    func keepsCopies(_ implementation: CatalogImplementation) throws {
        let catalog = try catalog(implementation)
        var full = copy(1, "replica-2", .uploading)
        full.versionID = "v1"
        full.manifestVersionID = "v2"
        full.etag = "\"abc-2\""
        full.size = 5_000_000_000
        full.storageClass = "STANDARD_IA"
        full.encryption = "sse-c"
        full.lockedUntil = noon.adding(days: 30)
        full.proof = .serverChecksum
        full.session = RemoteCopy.UploadSession(
            uploadID: "upload id/+=", partSize: 16 << 20, token: "token", startedAt: noon)
        full.error = "SlowDown (HTTP 503)"
        full.attempts = 7
        full.verifiedAt = noon.adding(days: 2)
        full.updatedAt = noon.adding(days: 1)
        try catalog.save(full)
        #expect(try catalog.copies(backupID: 1) == [full])
        full.session?.uploadID = nil
        full.error = nil
        full.owner = .adopted
        try catalog.save(full)
        #expect(try catalog.copies(backupID: 1) == [full])
        full.session = nil
        full.state = .failed
        try catalog.save(full)
        #expect(try catalog.copies(backupID: 1) == [full])
        #expect(try catalog.copies(backupID: 2) == [])
        let error = #expect(throws: BackupError.self) { try catalog.save(copy(99)) }
        #expect(error?.code == .notFound)
    }

    @Test("The row's s3_url and s3_key are those of a present primary copy", arguments: CatalogImplementation.allCases)
    func primaryFields(_ implementation: CatalogImplementation) throws {
        let catalog = try catalog(implementation)
        for state in RemoteCopy.State.allCases {
            try catalog.save(copy(1, "s3", state))
            let record = try #require(try catalog.record(id: 1))
            #expect(record.s3Key == (state == .present ? "p/f1" : nil))
            #expect(record.s3URL == (state == .present ? "https://minio:9000/bucket/p/f1" : nil))
            #expect(record.remote.s3State == state)
            #expect(record.remote.presentCopies == (state == .present ? 1 : 0))
            #expect(record.remote.isBeingDeleted == (state == .deleting))
            // What a verb read before does not overwrite what was written down since.
            var stale = record
            stale.s3Key = "stale"
            stale.s3URL = "stale"
            try catalog.update(stale)
            #expect(try catalog.record(id: 1) == record)
        }
        try catalog.save(copy(1))
        try catalog.save(copy(1, "replica-1", .failed))
        #expect(try catalog.record(id: 1)?.s3Key == "p/f1")
        try catalog.deleteCopy(backupID: 1, store: "s3")
        #expect(try catalog.record(id: 1)?.s3Key == nil)
        #expect(try catalog.copies(backupID: 1).map(\.store) == ["replica-1"])
    }

    @Test("A row says what its copies say in short", arguments: CatalogImplementation.allCases)
    func summary(_ implementation: CatalogImplementation) throws {
        let catalog = try catalog(implementation)
        #expect(try catalog.record(id: 1)?.remote == BackupRecord.RemoteSummary())
        var failed = copy(1, "s3", .failed)
        failed.error = "AccessDenied"
        try catalog.save(failed)
        for (number, days) in [(1, 10), (10, 30), (2, 20)] {
            var replica = copy(1, "replica-\(number)")
            replica.lockedUntil = noon.adding(days: days)
            try catalog.save(replica)
        }
        let remote = try #require(try catalog.record(id: 1)?.remote)
        #expect(remote.s3State == .failed && remote.s3Error == "AccessDenied" && remote.presentCopies == 3)
        #expect(remote.lockedUntil == noon.adding(days: 30) && !remote.isBeingDeleted)
        #expect(try catalog.copies(backupID: 1).map(\.store) == ["s3", "replica-1", "replica-2", "replica-10"])
    }

    @Test("Copies are found by their states, and go with their backup", arguments: CatalogImplementation.allCases)
    func byState(_ implementation: CatalogImplementation) throws {
        let catalog = try catalog(implementation, backups: 3)
        try catalog.save(copy(1, "s3", .failed))
        try catalog.save(copy(2, "s3", .present))
        try catalog.save(copy(3, "replica-1", .deleting))
        try catalog.save(copy(3, "s3", .failed))
        #expect(try catalog.copies(in: [.failed, .deleting]).map(\.backupID) == [3, 3, 1])
        #expect(try catalog.copies(in: [.failed, .deleting]).map(\.store) == ["s3", "replica-1", "s3"])
        #expect(try catalog.copies(in: [.present]) == [copy(2)])
        #expect(try catalog.copies(in: []) == [])
        let statistics = try catalog.statistics()
        #expect(statistics.onS3 == 1 && statistics.sizeOnS3 == 1000)
        try catalog.deleteRecord(id: 3)
        #expect(try catalog.copies(in: Set(RemoteCopy.State.allCases)).map(\.backupID) == [2, 1])
    }

    static let elder: [(url: String, key: String, endpoint: String, bucket: String)] = [
        (
            "https://minio.example.com/elder-backups/elder/backups/f", "elder/backups/f", "https://minio.example.com",
            "elder-backups"
        ),
        ("http://10.0.0.1:9000/b/ü f", "ü f", "http://10.0.0.1:9000", "b"),
        ("https://my.bucket.s3.eu-west-1.amazonaws.com/p/f", "p/f", "https://s3.eu-west-1.amazonaws.com", "my.bucket"),
        ("https://cdn.example.com/f", "f", "", ""), ("rubbish", "f", "", ""), ("https://h/b/f", "g", "", ""),
        ("https://f", "https://f", "", ""),
    ]

    @Test("What Elder wrote down counts as a copy that is there and is nobody's", arguments: elder)
    func elderRows(_ row: (url: String, key: String, endpoint: String, bucket: String)) throws {
        let catalog = try catalog(.adopted)
        let queue = try DatabaseQueue(path: directory.file("catalog.sqlite"))
        try queue.write {
            try $0.execute(sql: "UPDATE backups SET s3_url = ?, s3_key = ?", arguments: [row.url, row.key])
        }
        let copy = try #require(try catalog.copies(backupID: 1).first)
        #expect(copy.owner == .unclaimed && copy.state == .present && copy.store == "s3")
        #expect(copy.endpoint == row.endpoint && copy.bucket == row.bucket && copy.key == row.key)
        let record = try #require(try catalog.record(id: 1))
        #expect(record.remote.s3State == .present && record.remote.presentCopies == 1 && record.isReadable)
        var missing = copy
        missing.state = .missing
        try catalog.save(missing)
        #expect(try catalog.copies(backupID: 1) == [missing])
        #expect(try catalog.record(id: 1)?.s3Key == nil)
    }

    @Test("A catalog of the version before gets the table, and its rows stay")
    func migration() throws {
        let catalog = try catalog(.sqlite, backups: 2)
        let path = directory.file("catalog.sqlite")
        let queue = try DatabaseQueue(path: path)
        try queue.write {
            try $0.execute(
                sql: """
                    DROP TABLE backup_copies;
                    UPDATE elder_backup_meta SET value = '1' WHERE key = 'schema_version';
                    UPDATE backups SET s3_url = 'https://h/b/k', s3_key = 'k' WHERE id = 2
                    """)
        }
        let error = #expect(throws: BackupError.self) { try SQLiteCatalog.open(path: path, migrate: false) }
        #expect(error?.message.contains("catalog migrate") == true)
        #expect(
            try SQLiteCatalog.migrate(path: path) == ["created the table backup_copies", "set the schema_version"])
        #expect(try SQLiteCatalog.migrate(path: path) == [])
        try queue.write {
            try $0.execute(
                sql: """
                    ALTER TABLE backups DROP COLUMN source_identity; ALTER TABLE backups DROP COLUMN source_scope;
                    UPDATE elder_backup_meta SET value = '4' WHERE key = 'schema_version';
                    """)
        }
        #expect(
            try SQLiteCatalog.migrate(path: path) == [
                "added the column backups.source_identity", "added the column backups.source_scope",
                "set the schema_version",
            ])
        #expect(try catalog.records(jobID: nil, status: nil, limit: nil).allSatisfy { $0.content == nil })
        #expect(try catalog.copies(backupID: 2).map(\.bucket) == ["b"])
        #expect(try catalog.records(jobID: nil, status: .completed, limit: nil).count == 2)
    }
}
