import BackupCatalog
import BackupCore
import Foundation
import GRDB
import Testing

/// What every ``CatalogStore`` must do with what was done.
@Suite struct AuditContract {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func entry(_ number: Int64) -> AuditEntry {
        AuditEntry(
            at: Timestamp(microseconds: 1_761_739_200_123_456 + number), actor: "ci", role: "operator",
            action: "job.run", subject: "job \(number)", outcome: "done", detail: "Ünï \"quoted\"\n'x'",
            requestID: "abc", address: "127.0.0.1")
    }

    @Test(arguments: CatalogImplementation.allCases)
    func keepsEntriesInOrder(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        #expect(try catalog.auditEntries(before: nil, limit: 10) == [])
        for number in 1...5 { try catalog.recordAudit(entry(Int64(number))) }
        let all = try catalog.auditEntries(before: nil, limit: 10)
        #expect(all.map(\.subject) == ["job 5", "job 4", "job 3", "job 2", "job 1"])
        var first = entry(1)
        first.id = try #require(all.last).id
        #expect(all.last == first)
        let newest = try catalog.auditEntries(before: nil, limit: 2)
        #expect(newest == Array(all.prefix(2)))
        #expect(try catalog.auditEntries(before: newest[1].id, limit: 2) == Array(all[2...3]))
        #expect(try catalog.auditEntries(before: all[4].id, limit: 2) == [])
        #expect(try catalog.auditEntries(before: nil, limit: 0) == [])
        #expect(try catalog.auditEntries(before: nil, limit: -1) == [])
    }

    @Test(arguments: CatalogImplementation.allCases)
    func keepsWhatIsNotKnownAsNothing(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let bare = AuditEntry(at: Timestamp(microseconds: 0), actor: "", action: "x", outcome: "refused")
        try catalog.recordAudit(bare)
        var found = try #require(try catalog.auditEntries(before: nil, limit: 1).first)
        found.id = 0
        #expect(found == bare)
    }

    @Test func writtenInTheKeysOfTheAPI() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(entry(1)), as: UTF8.self)
        #expect(text.contains("\"request_id\":\"abc\""))
        #expect(text.contains("\"at\":\"2025-10-29"))
    }

    @Test("a catalog of version 3 gets the table and the columns when told to")
    func migration() throws {
        let path = directory.file("catalog.sqlite")
        let now = Timestamp(microseconds: 1_761_739_200_123_456)
        var change = BackupJobChange()
        change.name = "nightly"
        let old = try SQLiteCatalog.open(path: path, migrate: false).createJob(change, defaultRetentionDays: 9, at: now)
        try DatabaseQueue(path: path).write {
            try $0.execute(
                sql: """
                    DROP TABLE audit_log;
                    ALTER TABLE backup_jobs DROP COLUMN s3_choice;
                    ALTER TABLE backup_jobs DROP COLUMN source_secret;
                    ALTER TABLE backup_jobs DROP COLUMN ping_secret;
                    UPDATE elder_backup_meta SET value = '3' WHERE key = 'schema_version';
                    """)
        }
        let error = #expect(throws: BackupError.self) { try SQLiteCatalog.open(path: path, migrate: false) }
        #expect(error?.message.contains("catalog migrate") == true)
        #expect(
            try SQLiteCatalog.migrate(path: path) == [
                "added the column backup_jobs.s3_choice", "added the column backup_jobs.source_secret",
                "added the column backup_jobs.ping_secret",
                "created the table audit_log", "set the schema_version",
            ])
        let catalog = try SQLiteCatalog.open(path: path, migrate: false)
        #expect(try catalog.jobs(enabled: nil) == [old])
        try catalog.recordAudit(entry(1))
        #expect(try catalog.auditEntries(before: nil, limit: 9).count == 1)
    }
}
