import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite struct SourceSchemaTests {
    @Test func rowNumbersAreKeptWhereNoColumnTellsThem() throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE plain (a); INSERT INTO plain(rowid, a) VALUES (7, 1);
            CREATE TABLE taken ("$rowid", "$$rowid", rowid); INSERT INTO taken VALUES (1, 2, 3);
            CREATE TABLE gone (rowid, _ROWID_, oid); INSERT INTO gone VALUES (1, 2, 3);
            CREATE TABLE descending (id INTEGER PRIMARY KEY DESC); INSERT INTO descending(rowid, id) VALUES (5, 9);
            CREATE TABLE short (id INT PRIMARY KEY); INSERT INTO short(rowid, id) VALUES (6, 8);
            CREATE TABLE pair (a INTEGER, b, PRIMARY KEY (a, b)); INSERT INTO pair(rowid, a, b) VALUES (4, 1, 2);
            CREATE TABLE tableKey (b, a INTEGER, PRIMARY KEY (a)); INSERT INTO tableKey VALUES (1, 2);
            """)
        let snapshot = try fixture.snapshot()
        let expected = [
            "plain": #"{"$rowid":7,"a":1}"#, "taken": #"{"$$$rowid":1,"$rowid":1,"$$rowid":2,"rowid":3}"#,
            "gone": #"{"rowid":1,"_ROWID_":2,"oid":3}"#, "descending": #"{"$rowid":5,"id":9}"#,
            "short": #"{"$rowid":6,"id":8}"#, "pair": #"{"$rowid":4,"a":1,"b":2}"#, "tableKey": #"{"b":1,"a":2}"#,
        ]
        for (table, row) in expected { #expect(try SourceFixture.rows(of: table, in: snapshot) == [row]) }
        let gone = try #require(snapshot.schema.ledger.first { $0.name == "gone" })
        #expect(gone.holding == .stored)
        #expect(gone.reason?.contains("row numbers cannot be read") == true)
    }

    /// Without precautions SQLite reads both of these through the index, in its order.
    @Test func orderIsThatOfTheTableWhateverIndexesThereAre() throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE INDEX ti ON t(a);
            INSERT INTO t VALUES (1, 'c'), (2, 'a'), (3, 'b');
            CREATE TABLE w (a, b, PRIMARY KEY (b COLLATE NOCASE DESC, a)) WITHOUT ROWID; CREATE INDEX wi ON w(a);
            INSERT INTO w VALUES (1, 'a'), (2, 'C'), (3, 'b');
            """)
        let snapshot = try fixture.snapshot()
        #expect(
            try SourceFixture.rows(of: "t", in: snapshot) == [
                #"{"id":1,"a":"c"}"#, #"{"id":2,"a":"a"}"#, #"{"id":3,"a":"b"}"#,
            ])
        #expect(
            try SourceFixture.rows(of: "w", in: snapshot) == [
                #"{"a":2,"b":"C"}"#, #"{"a":3,"b":"b"}"#, #"{"a":1,"b":"a"}"#,
            ])
    }

    @Test func everyObjectIsAccountedFor() throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE, g AS (id + 1), s AS (id + 2) STORED);
            INSERT INTO t(a) VALUES (10), (20);
            CREATE TABLE s (i INT, t TEXT, a ANY) STRICT; INSERT INTO s VALUES (1, 'x', x'00');
            CREATE INDEX i ON t(a) WHERE a > 1; CREATE VIEW v AS SELECT 1;
            CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;
            CREATE VIRTUAL TABLE "f""t" USING fts5(body); INSERT INTO "f""t" VALUES ('hello world');
            CREATE VIRTUAL TABLE box USING /* with */ "rtree"(id, x0, x1); INSERT INTO box VALUES (1, 0, 2);
            CREATE VIRTUAL TABLE vocabulary USING fts5vocab('f"t', 'row');
            CREATE TABLE empty (a); ANALYZE;
            """)
        let snapshot = try fixture.snapshot()
        let holdings = Dictionary(uniqueKeysWithValues: snapshot.schema.ledger.map { ($0.name, $0) })
        #expect(holdings["t"]?.holding == .stored)
        #expect(holdings["t"]?.reason == "generated columns g, s are computed anew")
        #expect(holdings["sqlite_autoindex_t_1"]?.holding == .recomputed)
        #expect(holdings["i"]?.holding == .recomputed)
        #expect(holdings["v"]?.holding == .definition)
        #expect(holdings["r"]?.holding == .definition)
        #expect(holdings["f\"t"]?.type == "virtual table")
        #expect(holdings["f\"t"]?.holding == .stored)
        #expect(holdings["f\"t_data"]?.type == "shadow table")
        #expect(holdings["box_node"]?.holding == .stored)
        #expect(holdings["vocabulary"]?.holding == .definition)
        #expect(holdings["vocabulary"]?.reason?.contains("fts5vocab") == true)
        #expect(holdings["sqlite_sequence"]?.holding == .stored)
        #expect(holdings["sqlite_stat1"]?.holding == .stored)

        let definitions = try JSONSerialization.jsonObject(with: Data(snapshot.schema.definitions)) as? [String: Any]
        let objects = try #require(definitions?["objects"] as? [[String: Any]])
        #expect(objects.map { $0["name"] as? String } == snapshot.schema.ledger.map { $0.name })
        #expect(objects.first { $0["name"] as? String == "box" }?["module"] as? String == "rtree")
        #expect(objects.first { $0["name"] as? String == "f\"t_data" }?["owner"] as? String == "f\"t")

        #expect(snapshot.schema.tables.last?.name == "sqlite_sequence")
        #expect(!snapshot.schema.tables.contains { $0.name == "box" })
        #expect(try SourceFixture.rows(of: "t", in: snapshot) == [#"{"id":1,"a":10}"#, #"{"id":2,"a":20}"#])
        #expect(try SourceFixture.rows(of: "s", in: snapshot) == [#"{"$rowid":1,"i":1,"t":"x","a":{"$bytes":"AA=="}}"#])
        #expect(try SourceFixture.rows(of: "f\"t_content", in: snapshot) == [#"{"id":1,"c0":"hello world"}"#])
        #expect(
            try SourceFixture.rows(of: "sqlite_sequence", in: snapshot) == [#"{"$rowid":1,"name":"t","seq":2}"#])
        #expect(try SourceFixture.rows(of: "empty", in: snapshot).isEmpty)
        #expect((snapshot.estimatedRows ?? 0) > 2)
    }

    @Test func propertiesOfTheFileAreKept() throws {
        let fixture = try SourceFixture(
            """
            PRAGMA page_size=8192; PRAGMA auto_vacuum=2; CREATE TABLE t (a); PRAGMA user_version=7;
            PRAGMA application_id=-5; PRAGMA default_cache_size=500; PRAGMA journal_mode=wal;
            """)
        let snapshot = try fixture.snapshot()
        let definitions = try JSONSerialization.jsonObject(with: Data(snapshot.schema.definitions)) as? [String: Any]
        #expect(definitions?["page_size"] as? Int == 8192)
        #expect(definitions?["auto_vacuum"] as? Int == 2)
        #expect(definitions?["user_version"] as? Int == 7)
        #expect(definitions?["application_id"] as? Int == -5)
        #expect(definitions?["default_cache_size"] as? Int == 500)
        #expect(definitions?["journal_mode"] as? String == "wal")
        #expect(definitions?["encoding"] as? String == "UTF-8")
        #expect(definitions?["reserved_bytes"] as? Int == 0)
        #expect(snapshot.source.database == "test.sqlite")
        #expect(snapshot.source.snapshot == "one read transaction, wal")
    }

    @Test func aThousandColumns() throws {
        let names = (0..<1000).map { "column \($0)" }
        let values = (0..<1000).map(String.init).joined(separator: ",")
        let fixture = try SourceFixture(
            "CREATE TABLE t (\(names.map { "\"\($0)\"" }.joined(separator: ","))); INSERT INTO t VALUES (\(values))")
        let row = try #require(try fixture.rows(of: "t").first)
        let object = try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any]
        #expect(object?.count == 1001)
        #expect(object?["column 999"] as? Int == 999)
    }

    @Test func tablesAreChosenByName() throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE a (x); CREATE TABLE "B b" (x); CREATE VIEW w AS SELECT 1;
            CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIRTUAL TABLE f USING fts5(t);
            """)
        let some = try fixture.snapshot { $0.includedTables = ["b B", "F"] }
        #expect(some.schema.tables.map(\.name).filter { !$0.hasPrefix("f_") } == ["B b", "sqlite_sequence"])
        #expect(some.schema.tables.contains { $0.name == "f_data" })
        let left = try #require(some.schema.ledger.first { $0.name == "a" })
        #expect(left.holding == .excluded)
        #expect(left.reason == "rows left out by --tables")

        let others = try fixture.snapshot { $0.excludedTables = ["f", "a"] }
        #expect(others.schema.tables.map(\.name) == ["B b", "n", "sqlite_sequence"])
        #expect(others.schema.ledger.first { $0.name == "f_idx" }?.holding == .excluded)
        #expect(others.schema.ledger.count == some.schema.ledger.count)
    }

    @Test(arguments: [
        (["a", "nope", "w"], BackupError.Code.notFound, "\"nope\", \"w\""), (["f_data"], .usage, "name \"f\" instead"),
        (["SQLITE_SEQUENCE"], .usage, "always kept"),
    ])
    func namesThatCannotBeChosenAreRefused(_ names: [String], _ code: BackupError.Code, _ words: String) throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE a (x); CREATE VIEW w AS SELECT 1; CREATE VIRTUAL TABLE f USING fts5(t);
            CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT);
            """)
        for option in ["--tables", "--exclude-tables"] {
            let error = SourceFixture.refusal {
                _ = try fixture.snapshot {
                    if option == "--tables" { $0.includedTables = names } else { $0.excludedTables = names }
                }
            }
            #expect(error?.code == code)
            #expect(error?.message.contains(words) == true)
            #expect(error?.message.contains(option) == true)
        }
    }
}
