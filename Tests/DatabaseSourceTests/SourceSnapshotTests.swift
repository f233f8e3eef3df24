import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite struct SourceSnapshotTests {
    @Test func aWriterGoesOnBesideALog() throws {
        let fixture = try SourceFixture("PRAGMA journal_mode=wal; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        let snapshot = try fixture.snapshot()
        #expect(snapshot.warnings.isEmpty)
        try fixture.run("INSERT INTO t VALUES (2); CREATE TABLE later (a)")
        #expect(try SourceFixture.rows(of: "t", in: snapshot) == [#"{"$rowid":1,"a":1}"#])
        let growth = try #require(snapshot.close().logGrowth)
        #expect(growth > 0)
        #expect(try fixture.rows(of: "t").count == 2)
    }

    @Test func theGrowthOfTheLogIsCapped() throws {
        let fixture = try SourceFixture("PRAGMA journal_mode=wal; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        let snapshot = try fixture.snapshot { $0.maximumLogGrowth = 100_000 }
        try fixture.run("INSERT INTO t VALUES (zeroblob(200000))")
        let error = SourceFixture.refusal { _ = try SourceFixture.rows(of: "t", in: snapshot) }
        #expect(error?.message.contains("BACKUP_MAX_WAL_GROWTH") == true)
        #expect(error?.location == ["table \"t\""])
    }

    @Test func noFilesOfALogAreLeftWhereThereWereNone() throws {
        let fixture = try SourceFixture("PRAGMA journal_mode=wal; CREATE TABLE t (a)")
        #expect(!FileManager.default.fileExists(atPath: fixture.path + "-wal"))
        _ = try fixture.snapshot().close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == ["test.sqlite"])
    }

    @Test func aRollbackJournalMakesWritersWait() throws {
        let fixture = try SourceFixture("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        let snapshot = try fixture.snapshot()
        #expect(snapshot.source.snapshot == "one read transaction, rollback journal")
        #expect(throws: (any Error).self) { try fixture.run("INSERT INTO t VALUES (2)") }
        #expect(snapshot.close().logGrowth == nil)
        try fixture.run("INSERT INTO t VALUES (2)")
        #expect(throws: BackupError.self) { try SourceFixture.rows(of: "t", in: snapshot) }
    }

    @Test(arguments: ["delete", "wal"]) func aStagedCopyFreesTheOriginal(_ mode: String) throws {
        let fixture = try SourceFixture(
            """
            PRAGMA journal_mode=\(mode); CREATE TABLE t (a);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT i FROM n;
            """)
        let staging = fixture.directory + "/staging"
        try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: false)
        let snapshot = try fixture.snapshot { $0.stagingPath = staging + "/copy" }
        try fixture.run("DELETE FROM t; DROP TABLE t")
        #expect(try FileManager.default.contentsOfDirectory(atPath: staging).isEmpty)
        #expect(try SourceFixture.rows(of: "t", in: snapshot).count == 20000)
        #expect(snapshot.warnings.isEmpty)
        #expect(snapshot.source.snapshot.hasPrefix("staged copy"))
        let words = "\"journal_mode\":\"\(mode)\""
        #expect(String(decoding: snapshot.schema.definitions, as: UTF8.self).contains(words))
        #expect(snapshot.close().logGrowth == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: staging).isEmpty)
    }

    @Test func aStagingDirectoryThatIsMissingIsTold() throws {
        let fixture = try SourceFixture("CREATE TABLE t (a)")
        let error = SourceFixture.refusal {
            _ = try fixture.snapshot { $0.stagingPath = fixture.directory + "/none/copy" }
        }
        #expect(error?.code == .storage)
        #expect(error?.message.contains("none") == true)
    }

    @Test func aLargeRowWaitsForABatchOfItsOwn() throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB);
            INSERT INTO t VALUES (1, x'00'), (2, zeroblob(3000000)), (3, x'01');
            """)
        let snapshot = try fixture.snapshot()
        let reader = try snapshot.reader(for: try #require(snapshot.schema.tables.first))
        let batch = RowBatch()
        #expect(try reader.fill(batch, acceptsLargeRow: true) == .largeRowNext)
        #expect(batch.rowCount == 1)
        batch.reset()
        #expect(try reader.fill(batch, acceptsLargeRow: false) == .largeRowNext)
        #expect(batch.rowCount == 0)
        #expect(try reader.fill(batch, acceptsLargeRow: true) == .more)
        #expect(batch.rowCount == 1)
        #expect(batch.count > 4_000_000)
        batch.reset()
        #expect(try reader.fill(batch, acceptsLargeRow: false) == .last)
        #expect(batch.rowCount == 1)
        #expect(try reader.fill(batch, acceptsLargeRow: false) == .last)
    }

    @Test(arguments: [
        ("CREATE TABLE t (a); INSERT INTO t(rowid, a) VALUES (3, 1), (42, zeroblob(2000000))", "rowid 42"),
        ("CREATE TABLE t (n INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1), (43, zeroblob(60001))", "rowid 43"),
        ("CREATE TABLE t (a, b); INSERT INTO t VALUES (zeroblob(40000), zeroblob(40000))", "rowid 1"),
        (
            "CREATE TABLE t (k, j, a, PRIMARY KEY (k, j)) WITHOUT ROWID;"
                + "INSERT INTO t VALUES ('x', 1, 1), ('x', 2, zeroblob(5000000))", "primary key ('x', 2)"
        ),
    ])
    func aRowAboveTheLimitIsRefusedByName(_ sql: String, _ name: String) throws {
        let fixture = try SourceFixture(sql)
        let error = SourceFixture.refusal { _ = try fixture.rows(of: "t") { $0.maximumRow = 60000 } }
        #expect(error?.code == .unsupported)
        #expect(error?.location == ["table \"t\"", name])
        #expect(error?.message.contains("BACKUP_MAX_ROW") == true)
    }

    @Test func aRowOfExactlyTheLimitPasses() throws {
        let fixture = try SourceFixture("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(60000))")
        #expect(try fixture.rows(of: "t") { $0.maximumRow = 60000 }.count == 1)
    }
}
