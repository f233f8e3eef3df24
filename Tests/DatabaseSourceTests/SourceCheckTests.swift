import BackupCore
import DatabaseSource
import Foundation
import Synchronization
import Testing

/// SQLite's own check beside a backup, and what else guards a restore from the outside.
@Suite("Sources that could not be restored, and targets that are not free")
struct SourceCheckTests {
    private let ruleBreakers = """
        CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), (NULL);
        PRAGMA writable_schema=ON;
        UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a TEXT NOT NULL)' WHERE name = 't';
        """

    @Test(arguments: [false, true]) func rowsThatBreakTheirSchemaAreAFault(staged: Bool) throws {
        let fixture = try SourceFixture(ruleBreakers)
        let fault = SourceFixture.refusal {
            let snapshot = try fixture.snapshot { if staged { $0.stagingPath = fixture.directory + "/copy" } }
            if let fault = snapshot.close().fault { throw fault }
        }
        #expect(fault?.code == .source)
        #expect(fault?.message.contains("NULL value in t.a") == true)
        #expect(fault?.message.contains("BACKUP_SOURCE_CHECK=off") == true)
    }

    @Test func theCheckCanBeSwitchedOff() throws {
        let fixture = try SourceFixture(ruleBreakers)
        let snapshot = try fixture.snapshot { $0.sourceCheck = .off }
        #expect(try SourceFixture.rows(of: "t", in: snapshot).count == 2)
        #expect(snapshot.close().fault == nil)
    }

    @Test func twoRowsWithOneUniqueValueAreFoundByTheFullCheck() throws {
        let fixture = try SourceFixture(
            "PRAGMA page_size=4096; CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE); "
                + "INSERT INTO t VALUES (1,'first'), (2,'second')")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        // The table's own page is the second one; its index keeps the old value.
        let place = try #require(bytes.range(of: Data("second".utf8), in: 4096..<8192))
        bytes.replaceSubrange(place, with: Data("firstX".utf8))
        try bytes.write(to: URL(fileURLWithPath: fixture.path))
        let snapshot = try fixture.snapshot { $0.sourceCheck = .full }
        #expect(snapshot.close().fault?.message.contains("sqlite_autoindex_t_1") == true)
    }

    @Test func aViolatedCheckConstraintIsOnlyAWarning() throws {
        let fixture = try SourceFixture(
            "PRAGMA ignore_check_constraints=ON; CREATE TABLE t (a CHECK (a > 0)); INSERT INTO t VALUES (-1)")
        // SQLite forgets CHECK constraints where a database is opened for reading only; a staged copy is not.
        let staged = try fixture.snapshot { $0.stagingPath = fixture.directory + "/copy" }
        #expect(staged.warnings.contains { $0.contains("CHECK constraint failed in t") })
        #expect(try fixture.snapshot().close().fault == nil)
    }

    @Test(arguments: ["-wal", "-shm", "-journal"]) func whatAGoneDatabaseLeftBesideTheTargetIsRefused(
        _ companion: String
    ) throws {
        let fixture = try SourceFixture("CREATE TABLE t (a)")
        let path = fixture.directory + "/new.sqlite"
        try Data("left over".utf8).write(to: URL(fileURLWithPath: path + companion))
        let snapshot = try fixture.snapshot()
        let contents = ArchiveContents(source: snapshot.source, schema: snapshot.schema)
        let refusal = SourceFixture.refusal {
            try SQLiteTarget(path: path).prepare(contents, options: RestoreOptions())
        }
        #expect(refusal?.code == .target)
        #expect(refusal?.message.contains(path + companion) == true)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fixture.directory).sorted()
                == ["new.sqlite" + companion, "test.sqlite"])
    }

    @Test func cancellingEndsWhatSQLiteDoesWithinOneCall() throws {
        // The full-text table's own check would read this view for ever.
        let fixture = try SourceFixture(
            """
            CREATE VIEW v AS WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s) SELECT i AS id, 'a' AS t FROM s;
            CREATE VIRTUAL TABLE d USING fts4(t, content=v);
            """)
        let snapshot = try fixture.snapshot()
        let asked = Atomic<Int>(0)
        var options = RestoreOptions()
        options.isCancelled = { asked.add(1, ordering: .relaxed).newValue > 50 }
        let target = SQLiteTarget(path: fixture.directory + "/new.sqlite")
        let refusal = SourceFixture.refusal {
            try target.prepare(
                ArchiveContents(source: snapshot.source, schema: snapshot.schema), options: options)
            for table in snapshot.schema.tables {
                _ = try target.loader(forTable: table.name, description: table)
            }
            _ = try target.finishLoading()
        }
        #expect(refusal?.code == .cancelled)
        target.rollback()
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == ["test.sqlite"])
    }

    @Test func twoThousandColumnsLeaveNoRoomForARowNumber() throws {
        let columns = (0..<2000).map { "c\($0)" }.joined(separator: ",")
        let fixture = try SourceFixture("CREATE TABLE t (\(columns)); INSERT INTO t (c0) VALUES (7)")
        let snapshot = try fixture.snapshot()
        #expect(snapshot.schema.tables.first?.rowidKey == nil)
        #expect(snapshot.schema.ledger.first?.reason?.contains("row numbers are not kept") == true)
        #expect(try SourceFixture.rows(of: "t", in: snapshot).first?.hasPrefix("{\"c0\":7,\"c1\":null") == true)
    }
}
