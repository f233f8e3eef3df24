import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite("A new SQLite file")
struct SinkNewFileTests {
    /// Restores a database and compares what VACUUM INTO makes of both.
    private func expectRoundTrip(_ sql: [String], vacuum: Bool = false) throws {
        let directory = try SinkDirectory()
        let source = directory.file("source.sqlite")
        do {
            let database = try SinkDatabase(source)
            for statement in sql { try database.run(statement) }
            if vacuum { try database.run("VACUUM") }
        }
        let archive = try SinkArchive(of: source)
        let warnings = try archive.restore(into: directory.file("new.sqlite"))
        #expect(warnings.isEmpty)
        let same =
            try vacuumed(source, in: directory) == vacuumed(directory.file("new.sqlite"), in: directory)
        #expect(same)
        #expect(directory.names == ["new.sqlite", "source.sqlite"])
        if !same {
            let query = "SELECT type||' '||name||' '||coalesce(sql,'') FROM sqlite_schema"
            let left = try SinkDatabase(source).rows(query)
            #expect(try SinkDatabase(directory.file("new.sqlite")).rows(query) == left)
        }
    }

    @Test(arguments: [false, true]) func rebuildsAllKindsOfObjects(vacuum: Bool) throws {
        try expectRoundTrip(SinkNewFileTests.torture, vacuum: vacuum)
    }

    @Test(arguments: ["UTF-16le", "UTF-16be"], [0, 1, 2]) func keepsEncodingAndVacuuming(encoding: String, mode: Int)
        throws
    {
        try expectRoundTrip([
            "PRAGMA encoding='\(encoding)'; PRAGMA auto_vacuum=\(mode); PRAGMA page_size=1024",
            "CREATE TABLE t(a TEXT, b BLOB)",
            "INSERT INTO t VALUES('ä €'||char(0)||'𝄞', x'00ff'), (char(65279)||'mark', ''), ('', x'')",
        ])
    }

    @Test(arguments: [false, true]) func rebuildsVirtualTables(vacuum: Bool) throws {
        try expectRoundTrip(
            [
                "CREATE TABLE doc(id INTEGER PRIMARY KEY, body TEXT)",
                "CREATE VIEW early AS SELECT * FROM doc",
                "CREATE VIRTUAL TABLE f5 USING fts5(a, b, tokenize='porter')",
                "INSERT INTO f5 VALUES('running dogs','one'),('a cat','two')",
                "CREATE TABLE amid(x)",
                "CREATE VIRTUAL TABLE ext USING fts5(body, content='doc', content_rowid='id')",
                "CREATE TRIGGER doc_ai AFTER INSERT ON doc BEGIN "
                    + "INSERT INTO ext(rowid,body) VALUES(new.id,new.body); END",
                "INSERT INTO doc(body) VALUES('hello world'),('more words')",
                "CREATE VIRTUAL TABLE f4 USING fts4(a)",
                "INSERT INTO f4 VALUES('alpha beta')",
                "CREATE VIRTUAL TABLE f3 USING fts3(a)",
                "INSERT INTO f3 VALUES('gamma')",
                "INSERT INTO f3(f3) VALUES('automerge=4')",
                "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +note)",
                "INSERT INTO r VALUES(1, 0.5, 1.5, 'n'), (2, -1, 4, NULL)",
                "CREATE VIRTUAL TABLE terms USING fts5vocab('f5', 'row')",
                "ALTER TABLE f5 RENAME TO renamed",
                "DROP TABLE terms",
            ], vacuum: vacuum)
    }

    @Test func searchesWorkAfterwards() throws {
        let directory = try SinkDirectory()
        _ = try SinkDatabase(
            directory.file("s"), "CREATE VIRTUAL TABLE f USING fts5(a)", "INSERT INTO f VALUES('red fox'),('blue jay')")
        let warnings = try SinkArchive(of: directory.file("s")).restore(into: directory.file("n"))
        let restored = try SinkDatabase(directory.file("n"))
        #expect(warnings.isEmpty)
        #expect(try restored.first("SELECT a FROM f('jay')") == "blue jay")
        try restored.run("INSERT INTO f(f) VALUES('integrity-check')")
    }

    @Test func keepsWriteAheadLogMode() throws {
        let directory = try SinkDirectory()
        _ = try SinkDatabase(
            directory.file("s"), "PRAGMA journal_mode=WAL", "CREATE TABLE t(a)", "INSERT INTO t VALUES(1)")
        try SinkArchive(of: directory.file("s")).restore(into: directory.file("n"))
        #expect(directory.names.filter { $0.contains("n-") || $0.hasPrefix(".") }.isEmpty)
        #expect(try SinkDatabase(directory.file("n")).first("PRAGMA journal_mode") == "wal")
    }

    @Test func readsEveryFormOfValue() throws {
        let table = SinkTable(
            "t", ["v", "j:json", "b:bytes", "o:boolean"],
            [
                #"{"v":1,"j":{"a": [1, 2]},"b":"3q2+7w==","o":true}"#,
                #"{"v":-9223372036854775808,"j":null,"b":{"$string":"x"},"o":false}"#,
                #"{"v":1.5e3,"j":{"$string":" raw "},"b":null,"o":2}"#,
                #"{"v":{"$real":"-Infinity"},"j":{"$integer":"5"},"b":7,"o":null}"#,
                #"{"v":{"$bytes":"AAH/"},"j":{"$real":"2.5"},"b":{"$text":"/w=="},"o":"maybe"}"#,
                #"{"v":"q\"\\\/\b\f\n\r\t\u00e4\ud834\udd1e","j":"s","b":"","o":0.5}"#,
                #"{"v":{"$text":"w4Q="},"j":true,"b":{"$bytes":"AQ=="},"o":{"$bytes":""}}"#,
                #"{"v":-0.0,"j":-1.50,"b":{"$real":"Infinity"},"o":null}"#,
                #"{ "b" : "AQ==" , "v" : 0, "o":true,"j":{"$bytes":"AQ=="}}"#,
            ])
        let archive = SinkArchive(
            objects: [SinkArchive.object("table", "t", "CREATE TABLE t(v,j,b,o)")], tables: [table])
        let directory = try SinkDirectory()
        try archive.restore(into: directory.file("n"))
        let rows = try SinkDatabase(directory.file("n")).rows(
            "SELECT typeof(v)||' '||quote(v), typeof(j)||' '||quote(j), typeof(b)||' '||quote(b), "
                + "typeof(o)||' '||quote(o) FROM t ORDER BY rowid")
        #expect(
            rows == [
                ["integer 1", #"text '{"a": [1, 2]}'"#, "blob X'DEADBEEF'", "integer 1"],
                ["integer -9223372036854775808", "null NULL", "text 'x'", "integer 0"],
                ["real 1500.0", "text ' raw '", "null NULL", "integer 2"],
                ["real -Inf", "integer 5", "integer 7", "null NULL"],
                ["blob X'0001FF'", "real 2.5", "text '\u{FFFD}'", "text 'maybe'"],
                ["text 'q\"\\/\u{8}\u{C}\n\r\tä𝄞'", "text '\"s\"'", "blob X''", "real 0.5"],
                ["text 'Ä'", "text 'true'", "blob X'01'", "blob X''"],
                ["real 0.0", "text '-1.50'", "real Inf", "null NULL"],
                ["integer 0", "blob X'01'", "blob X'01'", "integer 1"],
            ])
    }

    @Test(arguments: [
        (#"{"v":1"#, "malformed"), (#"{"v":01}"#, "malformed"), (#"{"v":[1]}"#, "malformed"),
        (#"{"v":{"$other":"1"}}"#, "malformed"), (#"{"v":1,"v":2}"#, "malformed"), (#"{}"#, "missing"),
        (#"{"v":1,"w":2}"#, "lacks"), (#"{"v":"\ud800"}"#, "malformed"), (#"{"v":{"$bytes":"AB"}}"#, "malformed"),
        (#"{"v":99999999999999999999}"#, "malformed"), (#"{"v":1} "#, "malformed"),
        (#"{"v":{"$bytes":"AR=="}}"#, "malformed"),
    ]) func refusesMalformedRows(row: String, words: String) throws {
        let table = SinkTable("t", ["v"], [#"{"v":5}"#, row])
        let archive = SinkArchive(objects: [SinkArchive.object("table", "t", "CREATE TABLE t(v)")], tables: [table])
        let directory = try SinkDirectory()
        #expect(failure { try archive.restore(into: directory.file("n")) }.contains(words))
        #expect(directory.names.isEmpty)
    }

    @Test func restoresChosenTablesWithTheirIndexesAndTriggers() throws {
        let directory = try SinkDirectory()
        _ = try SinkDatabase(
            directory.file("s"), "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x)",
            "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT)", "CREATE INDEX ax ON a(x)",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TRIGGER at AFTER INSERT ON a BEGIN SELECT 1; END", "CREATE VIRTUAL TABLE f USING fts5(t)",
            "INSERT INTO f VALUES('word')", "INSERT INTO a VALUES(9,1)", "INSERT INTO b VALUES(5)")
        var options = RestoreOptions()
        options.tables = ["a", "f"]
        let warnings = try SinkArchive(of: directory.file("s")).restore(into: directory.file("n"), options)
        #expect(warnings == ["views are left out, as tables were chosen: \"v\""])
        let restored = try SinkDatabase(directory.file("n"))
        #expect(
            try restored.rows("SELECT name FROM sqlite_schema WHERE name IN ('a','b','ax','at','v','f')").count == 4)
        #expect(try restored.rows("SELECT name, seq FROM sqlite_sequence") == [["a", "9"]])
        #expect(try restored.first("SELECT t FROM f('word')") == "word")
        options.tables = ["a", "no", "nor"]
        let words = failure { try SinkArchive(of: directory.file("s")).restore(into: directory.file("m"), options) }
        #expect(words.contains("\"no\", \"nor\""))
    }

    @Test func leavesNothingWhenUndoneAndClearsWhatACrashLeft() throws {
        let directory = try SinkDirectory()
        let archive = SinkArchive(
            objects: [SinkArchive.object("table", "t", "CREATE TABLE t(v)")],
            tables: [SinkTable("t", ["v"], [#"{"v":5}"#])])
        try archive.restore(into: directory.file("n"), commit: false)
        #expect(directory.names.isEmpty)
        _ = FileManager.default.createFile(atPath: directory.file(".n.restoring-999999999-ab"), contents: nil)
        _ = FileManager.default.createFile(atPath: directory.file(".other.restoring-999999999-ab"), contents: nil)
        try archive.restore(into: directory.file("n"))
        #expect(directory.names == [".other.restoring-999999999-ab", "n"])
        _ = FileManager.default.createFile(atPath: directory.file("empty"), contents: nil)
        #expect(failure { try archive.restore(into: directory.file("empty")) }.contains("does not exist yet"))
        #expect(failure { try archive.restore(into: directory.file("no/where")) }.contains("no such file"))
    }

    static let torture = [
        "PRAGMA page_size=2048; PRAGMA user_version=-7; PRAGMA application_id=123456",
        "CREATE TABLE plain(a, b TEXT, c REAL, d NUMERIC, e BLOB, f INTEGER)",
        "INSERT INTO plain VALUES(1,'x',5.0,'12.50',x'00',3),(9e999,char(0),-0.0,-9e999,'',9223372036854775807)",
        "INSERT INTO plain(rowid,a,b) VALUES(77,CAST(x'ff41' AS TEXT),NULL)",
        "CREATE TABLE \"odd \"\"name\"(\"ä key\" INTEGER PRIMARY KEY, 'sel\"ect' TEXT COLLATE NOCASE)",
        "INSERT INTO \"odd \"\"name\" VALUES(-5,'neg'),(6,'pos')",
        "CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, g AS (id*2), s TEXT AS (id||'x') STORED)",
        "INSERT INTO counted(id) VALUES(40)", "DELETE FROM counted",
        "CREATE TABLE wr(a TEXT, b INT, c, PRIMARY KEY(b,a)) WITHOUT ROWID",
        "INSERT INTO wr VALUES('z',1,x'01'),('a',2,NULL)",
        "CREATE TABLE strict_t(a INT, b ANY, c REAL) STRICT", "INSERT INTO strict_t VALUES(1,'1',2)",
        "CREATE TABLE parent(id INTEGER PRIMARY KEY, child REFERENCES child(id))",
        "CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent(id), u UNIQUE)",
        "INSERT INTO parent VALUES(1,1)", "INSERT INTO child VALUES(1,1,'u')",
        "CREATE INDEX i1 ON plain(b DESC, a)", "CREATE UNIQUE INDEX i2 ON plain(lower(b)) WHERE a > 1",
        "CREATE VIEW v(x) AS SELECT a FROM plain", "CREATE VIEW broken AS SELECT * FROM nowhere",
        "CREATE TRIGGER t1 AFTER INSERT ON plain BEGIN DELETE FROM wr; END",
        "CREATE TRIGGER t2 INSTEAD OF INSERT ON v BEGIN SELECT 1; END",
        "ANALYZE", "CREATE TABLE \"late\"(x CHECK(x<5))", "PRAGMA ignore_check_constraints=ON",
        "INSERT INTO late VALUES(7)",
        "DROP TABLE strict_t", "CREATE TABLE again(x)", "CREATE INDEX i3 ON again(x)",
    ]
}
