import BackupEngine
import DatabaseSource
import Foundation
import Testing

@Suite("A database with everything in it comes back equal")
struct TortureTests {
    static let variants: [TortureVariant] = [
        TortureVariant(),
        TortureVariant(isVacuumed: true),
        TortureVariant(encoding: "UTF-16le"),
        TortureVariant(encoding: "UTF-16be", pageSize: 1024, journal: "wal"),
        TortureVariant(pageSize: 512, autoVacuum: 1),
        TortureVariant(pageSize: 65536, autoVacuum: 2, journal: "wal", isVacuumed: true),
        TortureVariant(pageSize: 8192, autoVacuum: 1, journal: "truncate", isVacuumed: true),
        TortureVariant(encoding: "UTF-16le", pageSize: 32768, autoVacuum: 2, journal: "persist"),
    ]

    /// Backs up, verifies, restores with proof, and compares.
    private func roundTrip(_ bench: Bench, _ source: String, vacuumToo: Bool = true) async throws -> String {
        let engine = try await bench.engine()
        let backup = try await engine.backUp(source)
        let verified = try await engine.verify([BackupReference(backup.filename)])
        #expect(verified.ok, "\(verified.backups.compactMap(\.error))")
        #expect(verified.backups.first?.recordCount == backup.recordCount)
        let restored = bench.file("restored.sqlite")
        let response = try await engine.restore(backup.filePath, into: restored) { $0.prove = true }
        #expect(response.proven)
        #expect(response.totalRecords == backup.recordCount)
        try Comparison.expectEqual(source, restored, in: bench, vacuumToo: vacuumToo)
        return restored
    }

    @Test("each corner by itself", arguments: TortureScenario.allCases)
    func corner(_ scenario: TortureScenario) async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        let base: [TortureScenario] = scenario == .statistics ? [.objects, .many, scenario] : [scenario]
        try Torture.create(at: source, base)
        _ = try await roundTrip(bench, source)
    }

    @Test("all of it, in every layout of the file", arguments: variants)
    func everything(_ variant: TortureVariant) async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try Torture.create(at: source, TortureScenario.allCases, variant)
        let restored = try await roundTrip(bench, source)
        let (before, after) = (try TestDatabase(source), try TestDatabase(restored))
        for pragma in ["user_version", "application_id", "encoding", "page_size", "auto_vacuum", "journal_mode"] {
            #expect(try before.first("PRAGMA \(pragma)") == after.first("PRAGMA \(pragma)"), "\(pragma)")
        }
        #expect(try after.first("PRAGMA user_version") == "-20260131")
        #expect(try after.rows("PRAGMA integrity_check") == [["CHECK constraint failed in checked"]])
        for query in TortureTests.queries {
            let expected = try before.rows(query)
            #expect(!expected.isEmpty, "\(query)")
            #expect(try after.rows(query) == expected, "\(query)")
        }
    }

    /// What only the indexes of virtual tables can answer.
    static let queries = [
        "SELECT rowid, title FROM notes WHERE notes MATCH 'naive AND switch' ORDER BY rank, rowid",
        "SELECT rowid, highlight(notes,1,'[',']') FROM notes WHERE notes MATCH 'unic*' ORDER BY rowid",
        "SELECT rowid FROM articles_index WHERE articles_index MATCH 'changed' ORDER BY rowid",
        "SELECT rowid, snippet(articles_index,1,'<','>','…',4) FROM articles_index('NEAR(router rack)') ORDER BY rowid",
        "SELECT docid, offsets(old_notes) FROM old_notes WHERE old_notes MATCH 'quick brown' ORDER BY docid",
        "SELECT term, doc, cnt FROM words_of_notes ORDER BY term",
        "SELECT rowid FROM lost5 WHERE lost5 MATCH 'beta OR gamma' ORDER BY rowid",
        "SELECT docid FROM lost4 WHERE lost4 MATCH 'alpha' ORDER BY docid",
        "SELECT docid FROM outside4 WHERE outside4 MATCH 'delta'",
        "SELECT id, label FROM boxes WHERE x0 >= 0 AND x1 <= 500 ORDER BY id",
        "SELECT id FROM cells WHERE x0 <= 250 AND x1 >= 250 ORDER BY id",
        "SELECT rowid, hex(name), v FROM gaps ORDER BY rowid",
        "SELECT rowid, name FROM gaps_unique ORDER BY rowid",
        "SELECT rowid, id FROM desc_key ORDER BY rowid",
        "SELECT _rowid_, * FROM names_rowid",
        "SELECT rowid, * FROM names_underscore",
        "SELECT _rowid_, * FROM names_oid",
        "SELECT id, typeof(c0), quote(c0), hex(c0) FROM every_type",
        "SELECT id, doubled, loud FROM (SELECT rowid AS id, doubled, loud FROM generated)",
        "SELECT name, seq FROM sqlite_sequence ORDER BY name, seq",
        "SELECT tbl, idx, stat FROM sqlite_stat1",
        "PRAGMA foreign_key_check",
    ]

    @Test("the restored database goes on where the source was: triggers, counters, constraints")
    func goesOn() async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try Torture.create(at: source)
        let restored = try await roundTrip(bench, source)
        let database = try TestDatabase(restored)
        try database.run("INSERT INTO counted(v) VALUES('next')")
        #expect(try database.first("SELECT max(id) FROM counted") == "501")
        try database.run("INSERT INTO counted_empty DEFAULT VALUES")
        #expect(try database.first("SELECT id FROM counted_empty") == "78")
        try database.run("INSERT INTO adults_view VALUES('Zed', 50)")
        #expect(try database.first("SELECT count(*) FROM log WHERE what = 'insert Zed'") == "1")
        try database.run("INSERT INTO articles(title,body) VALUES('fresh','perennial')")
        #expect(try database.first("SELECT count(*) FROM articles_index('perennial')") == "1")
        #expect(throws: TestFailure.self) { try database.run("INSERT INTO checked(n) VALUES(-1)") }
        #expect(throws: TestFailure.self) { try database.run("INSERT INTO strict_all(i) VALUES('text')") }
    }

    @Test("rows from before ADD COLUMN are equal, yet stored in full: only VACUUM INTO shows it")
    func addedColumns() async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE grown(a); INSERT INTO grown VALUES(1),('two'); ALTER TABLE grown ADD COLUMN b TEXT DEFAULT 'new';"
                + "ALTER TABLE grown ADD COLUMN c; INSERT INTO grown VALUES(3,'x',4)")
        let restored = try await roundTrip(bench, source, vacuumToo: false)
        #expect(try Comparison.vacuumed(source, in: bench) != Comparison.vacuumed(restored, in: bench))
        // Written anew, the source's own rows are in full too.
        try TestDatabase(source).run("UPDATE grown SET a=a")
        #expect(try Comparison.vacuumed(source, in: bench) == Comparison.vacuumed(restored, in: bench))
    }

    @Test("SQLite stores 0 and 1 in rows that DROP COLUMN rewrote in one byte more: only VACUUM INTO shows it")
    func droppedColumns() async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE t(a, b, c); INSERT INTO t VALUES(0,1,2),(1,1,'x'); ALTER TABLE t DROP COLUMN b")
        let restored = try await roundTrip(bench, source, vacuumToo: false)
        #expect(try Comparison.vacuumed(source, in: bench) != Comparison.vacuumed(restored, in: bench))
        try TestDatabase(source).run("UPDATE t SET a=a")
        #expect(try Comparison.vacuumed(source, in: bench) == Comparison.vacuumed(restored, in: bench))
    }

    @Test("row numbers that no name reaches are given anew, and the ledger says so")
    func unreachableRowNumbers() async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE t(rowid, _rowid_, oid); INSERT INTO t VALUES(1,1,1),(2,2,2),(3,3,3); DELETE FROM t WHERE oid=2"
        )
        let restored = try await roundTrip(bench, source, vacuumToo: false)
        #expect(try Comparison.vacuumed(source, in: bench) != Comparison.vacuumed(restored, in: bench))
        let details = try await bench.engine().show(BackupReference("1"))
        let entry = details.archive.ledger?.first { $0.name == "t" }
        #expect(entry?.reason?.contains("row numbers cannot be read") == true)
    }
}
