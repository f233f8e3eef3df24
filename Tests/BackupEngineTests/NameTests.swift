import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("Names through the whole engine")
struct NameTests {
    /// The same letters, as one character and as two.
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    @Test("that Unicode holds for equal")
    func equivalent() async throws {
        let (one, two) = (Self.composed, Self.decomposed)
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE \(one)(\(one), \(two)); CREATE TABLE \(two)(\(two), \(one));"
                + "CREATE TRIGGER t AFTER INSERT ON \(one) BEGIN SELECT 1; END; CREATE TABLE t(a);"
                + "INSERT INTO \(one) VALUES(1,2),(3,4); INSERT INTO \(two) VALUES(5,6); INSERT INTO t VALUES(7)")
        let engine = try await bench.engine()
        let backup = try await engine.backUp(source)
        #expect(try await engine.verify([BackupReference(backup.filename)]).ok)
        let new = bench.file("new.sqlite")
        let response = try await engine.restore(backup.filename, into: new) { $0.prove = true }
        #expect(response.restoredCounts[one] == 2 && response.restoredCounts[two] == 1)
        #expect(response.proven && response.restoredTables == 3)
        let json = try JSONEncoder().encode(response)
        #expect(try JSONDecoder().decode(RestoreResponse.self, from: json).restoredCounts["t"] == 1)
        try Comparison.expectEqual(source, new, in: bench)
        // Into tables that are there, one of the two, again and again.
        for _ in 0..<2 {
            let response = try await engine.restore(backup.filename, into: new) {
                $0.prove = true
                $0.clearExisting = true
                $0.tables = [two]
            }
            #expect(response.restoredCounts[one] == nil && response.restoredCounts[two] == 1)
        }
        try Comparison.expectEqual(source, new, in: bench)
    }

    @Test("that an archive of Elder's has twice: a check says what a restore says")
    func duplicateKeys() async throws {
        let bench = try Bench()
        let plain = bench.file("backup_3_20251029_150000.json")
        try Data(#"{"version":"1.2.0","tables":{"t":[{"id":1},{"id":2,"\u0069d":3}]}}"#.utf8)
            .write(to: URL(filePath: plain))
        let old = bench.file("old.sqlite")
        try TestDatabase(old).run("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        let engine = try await bench.engine()
        let verified = try await engine.verify([BackupReference(plain)])
        #expect(!verified.ok && verified.backups.first?.error?.contains("there twice") == true)
        let error = await failure { try await engine.restore(plain, into: old) }
        #expect(error.code == .damaged && error.message.contains("there twice"))
        #expect(try TestDatabase(old).rows("SELECT * FROM t").isEmpty)
    }

    @Test("of the catalog's tables in another case: what an archive says of them is left")
    func catalog() async throws {
        let bench = try Bench()
        let engine = try await bench.engine()
        let plain = bench.file("backup_3_20251029_150000.json")
        try Data(#"{"version":"1.2.0","tables":{"BACKUPS":[],"Backup_Jobs":[]}}"#.utf8).write(to: URL(filePath: plain))
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run("CREATE TABLE t(a); INSERT INTO t VALUES(1)")
        let backup = try await engine.backUp(source)
        let response = try await engine.restore(plain, into: bench.backups + "/catalog.sqlite") {
            $0.clearExisting = true
        }
        #expect(response.warnings.count { $0.contains("catalog of backups") } == 2)
        #expect(try await engine.verify([BackupReference(String(backup.backupID))]).ok)
    }
}
