import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite("A SQLite database that is there")
struct SinkExistingTests {
    private let directory: SinkDirectory
    private var path: String { directory.file("db") }

    init() throws { directory = try SinkDirectory() }

    private func options(_ change: (inout RestoreOptions) -> Void = { _ in }) -> RestoreOptions {
        var options = RestoreOptions()
        options.dataOnly = true
        change(&options)
        return options
    }

    /// Expects a refusal with these words, and a file that is the same to the byte.
    private func expectRefusal(_ words: String, _ archive: SinkArchive, _ options: RestoreOptions) throws {
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let found = failure { try archive.restore(into: path, options) }
        #expect(found.contains(words), "\(found)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        #expect(directory.names == ["db"])
    }

    @Test(arguments: [
        ("a TEXT NOT NULL", #"{"id":2,"a":null}"#, "NOT NULL"), ("a CHECK(a<5)", #"{"id":2,"a":9}"#, "CHECK"),
        ("a UNIQUE ON CONFLICT REPLACE", #"{"id":2,"a":1}"#, "UNIQUE"), ("b", #"{"id":2,"a":1}"#, "lacks \"a\""),
    ]) func refusesWhatItsConstraintsRefuse(column: String, row: String, words: String) throws {
        _ = try SinkDatabase(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, \(column))")
        let archive = SinkArchive(tables: [SinkTable("t", ["id", "a"], [#"{"id":1,"a":1}"#, row])])
        try expectRefusal(words, archive, options())
        if !words.hasPrefix("lacks") { try expectRefusal("row with id 2", archive, options()) }
    }

    @Test func refusesAWrongTypeInAStrictTable() throws {
        _ = try SinkDatabase(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT) STRICT")
        let archive = SinkArchive(tables: [SinkTable("t", ["id", "a"], [#"{"id":1,"a":"x"}"#])])
        try expectRefusal("cannot store TEXT value", archive, options())
    }

    @Test func refusesRowsThatAreThereAndTablesThatAreNot() throws {
        _ = try SinkDatabase(path, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1)")
        let table = SinkTable("t", ["id"], [#"{"id":4}"#])
        try expectRefusal("holds rows", SinkArchive(tables: [table]), options())
        try expectRefusal("no table \"u\"", SinkArchive(tables: [table, SinkTable("u", ["a"], [])]), options())
        try SinkArchive(tables: [table]).restore(into: path, options { $0.clearExisting = true })
        #expect(try SinkDatabase(path).rows("SELECT id FROM t") == [["4"]])
    }

    @Test(arguments: [true, false]) func tellsOfTriggersThatOthersRelyOnWhereOnlySomeTablesAreRestored(
        chosen: Bool
    ) throws {
        _ = try SinkDatabase(
            path, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE log(x)",
            "CREATE TRIGGER tr AFTER INSERT ON T BEGIN INSERT INTO log VALUES(1); END")
        let archive = SinkArchive(tables: [SinkTable("t", ["id"], [#"{"id":1}"#])])
        let warnings = try archive.restore(into: path, options { if chosen { $0.tables = ["t"] } })
        #expect(warnings.contains { $0.contains("triggers of table \"t\" (1) were not run") } == chosen)
        #expect(try SinkDatabase(path).rows("SELECT count(*) FROM log") == [["0"]])
    }

    @Test func firesNoTriggersAndKeepsDefaultsAndCounters() throws {
        _ = try SinkDatabase(
            path, "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a, d DEFAULT 'std', g AS (a||'!'))",
            "CREATE TABLE log(x)", "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES(1); END",
            "INSERT INTO t(id) VALUES(50)", "DELETE FROM t", "DELETE FROM log")
        let counters = SinkTable("sqlite_sequence", ["name", "seq"], [#"{"name":"t","seq":90}"#])
        let archive = SinkArchive(tables: [SinkTable("t", ["id", "a"], [#"{"id":1,"a":"x"}"#]), counters])
        try archive.restore(into: path, options(), commit: false)
        #expect(try SinkDatabase(path).first("SELECT count(*) FROM t") == "0")
        try archive.restore(into: path, options())
        let database = try SinkDatabase(path)
        #expect(try database.rows("SELECT id,a,d,g FROM t") == [["1", "x", "std", "x!"]])
        #expect(try database.first("SELECT count(*) FROM log") == "0")
        #expect(try database.first("SELECT seq FROM sqlite_sequence") == "90")
    }

    @Test func refusesDanglingReferencesAndCascades() throws {
        _ = try SinkDatabase(
            path, "CREATE TABLE p(id INTEGER PRIMARY KEY)", "INSERT INTO p VALUES(1)",
            "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE)", "CREATE TABLE n(p REFERENCES p)"
        )
        let parent = SinkTable("p", ["id"], [#"{"id":2}"#])
        let child = SinkTable("c", ["id", "p"], [#"{"id":1,"p":7}"#])
        let clear = options {
            $0.clearExisting = true
            $0.tables = ["p"]
        }
        try expectRefusal("ON DELETE CASCADE", SinkArchive(tables: [parent, child]), clear)
        try expectRefusal("\"p\" that are not there", SinkArchive(tables: [child]), options())
        try SinkDatabase(path).run("DROP TABLE c; INSERT INTO n VALUES(1)")
        try expectRefusal("refer to them", SinkArchive(tables: [parent]), clear)
    }

    @Test func givesNewIDsAlongCyclesAndSharedKeys() throws {
        _ = try SinkDatabase(
            path, "CREATE TABLE a(id INTEGER PRIMARY KEY, b REFERENCES b(id), free INT)",
            "CREATE TABLE b(id INTEGER PRIMARY KEY, a REFERENCES a(id))",
            "CREATE TABLE ext(id INTEGER PRIMARY KEY REFERENCES a(id), note)",
            "INSERT INTO a VALUES(10,NULL,1)", "INSERT INTO b VALUES(3,10)", "INSERT INTO ext VALUES(10,'old')")
        let archive = SinkArchive(tables: [
            SinkTable("a", ["id", "b", "free"], [#"{"id":1,"b":1,"free":1}"#, #"{"id":2,"b":null,"free":2}"#]),
            SinkTable("b", ["id", "a"], [#"{"id":1,"a":2}"#]),
            SinkTable("ext", ["id", "note"], [#"{"id":2,"note":"new"}"#]),
        ])
        let warnings = try archive.restore(into: path, options { $0.regenerateIDs = true })
        let database = try SinkDatabase(path)
        #expect(warnings.count == 1)
        #expect(
            try database.rows("SELECT id,b,free FROM a") == [
                ["10", "NULL", "1"], ["11", "4", "1"], ["12", "NULL", "2"],
            ])
        #expect(try database.rows("SELECT id,a FROM b") == [["3", "10"], ["4", "12"]])
        #expect(try database.rows("SELECT id,note FROM ext") == [["10", "old"], ["12", "new"]])
    }

    @Test func refusesNewIDsBeyond64Bits() throws {
        _ = try SinkDatabase(
            path, "CREATE TABLE a(id INTEGER PRIMARY KEY)", "INSERT INTO a VALUES(9223372036854775807)")
        let archive = SinkArchive(tables: [SinkTable("a", ["id"], [#"{"id":1}"#])])
        try expectRefusal("64 bits", archive, options { $0.regenerateIDs = true })
    }

    @Test func takesWhatElderWrote() throws {
        _ = try SinkDatabase(
            path, "CREATE TABLE e(id INTEGER PRIMARY KEY, name, on_it CHAR(1), b BLOB, j JSON, r REAL, d DEFAULT 7)")
        let rows = [
            "{\n  \"name\": \"ä \\u00e9\",\n  \"id\": 1, \"on_it\": true, \"b\": \"AQI=\", \"j\": {\"k\": [1, \"a b\"]}, \"r\": NaN}",
            #"{"id": 2, "r": -Infinity, "b": "not base64", "on_it": false, "j": {"$bytes": "AQ=="}, "d": null}"#,
            #"{"id": 3, "name": 123456789012345678901234567890}"#,
        ]
        let archive = SinkArchive(tables: [SinkTable(foreign: "e", rows)])
        try archive.restore(into: path, options())
        #expect(
            try SinkDatabase(path).rows("SELECT id,name,on_it,quote(b),j,r,d FROM e") == [
                ["1", "ä é", "T", "X'0102'", #"{"k":[1,"a b"]}"#, "NULL", "7"],
                ["2", "NULL", "F", "'not base64'", #"{"$bytes":"AQ=="}"#, "-Inf", "NULL"],
                ["3", "123456789012345678901234567890", "NULL", "NULL", "NULL", "NULL", "7"],
            ])
        let more = SinkArchive(tables: [SinkTable(foreign: "e", [#"{"id": 9, "zip": 1, "zap": {"a": 1}}"#])])
        try expectRefusal("\"zip\", \"zap\"", more, options { $0.clearExisting = true })
        let again = SinkArchive(tables: [SinkTable(foreign: "e", [#"{"id": 1, "name": "n"}"#])])
        try again.restore(into: path, options { $0.regenerateIDs = true })
        #expect(try SinkDatabase(path).first("SELECT id FROM e WHERE name='n'") == "4")
    }

    @Test func neverWritesProtectedTables() throws {
        _ = try SinkDatabase(path, "CREATE TABLE backups(id INTEGER PRIMARY KEY)", "INSERT INTO backups VALUES(1)")
        let archive = SinkArchive(tables: [SinkTable("backups", ["id"], [#"{"id":2}"#])])
        let warnings = try archive.restore(
            into: path,
            options {
                $0.protectedTables = ["backups"]
                $0.clearExisting = true
            })
        #expect(warnings.count == 1)
        #expect(try SinkDatabase(path).rows("SELECT id FROM backups") == [["1"]])
    }

    @Test func fillsTheSameVirtualTable() throws {
        let source = directory.file("source")
        _ = try SinkDatabase(source, "CREATE VIRTUAL TABLE f USING fts5(a)", "INSERT INTO f VALUES('red'),('blue')")
        _ = try SinkDatabase(path, "CREATE VIRTUAL TABLE f USING fts5(a)")
        let archive = try SinkArchive(of: source)
        try FileManager.default.removeItem(atPath: source)
        try archive.restore(into: path, options())
        #expect(try SinkDatabase(path).first("SELECT rowid FROM f('blue')") == "2")
        try expectRefusal("holds rows", archive, options())
        try SinkDatabase(path).run("DROP TABLE f; CREATE VIRTUAL TABLE f USING fts5(b)")
        try expectRefusal("defined otherwise", archive, options())
    }
}
