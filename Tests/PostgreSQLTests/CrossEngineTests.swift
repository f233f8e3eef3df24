import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite(
    "Rows of one engine in tables of the other", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"), .serialized)
struct CrossEngineTests {
    /// A SQLite database of its own.
    private func file(_ bench: BackupBench, _ sql: String) throws -> String {
        let path = bench.directory + "/" + UUID().uuidString + ".sqlite"
        try sqlite(path, sql)
        return path
    }

    @discardableResult
    private func sqlite(_ path: String, _ sql: String) throws -> [String] {
        let (status, output, errors) = try TestServer.start("/usr/bin/env", ["sqlite3", "-bail", path, sql])()
        guard status == 0 else { throw TestFailure(description: "sqlite3 ended with \(status): \(errors)") }
        return output.split(separator: "\n").map(String.init)
    }

    @Test("Chinook goes to SQLite and back") func chinook() async throws {
        let source = try ServerDatabase(try Chinook.script())
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let first = try await engine.backUp(source.address)
        #expect(first.recordCount == 15607)
        // Numbers of a fixed scale are exact as text; the rest as SQLite's own types.
        let columns = try source.rows(
            """
            SELECT format('CREATE TABLE %I (%s);', table_name, string_agg(format('%I %s', column_name,
                CASE data_type WHEN 'integer' THEN 'INTEGER' WHEN 'numeric' THEN 'NUMERIC' ELSE 'TEXT' END), ', '
                ORDER BY ordinal_position))
            FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name
            """)
        let path = try file(bench, columns.joined())
        try await engine.restore(first.filename, into: "sqlite:" + path)
        let second = try await engine.backUp("sqlite:" + path)
        #expect(second.recordCount == 15607)
        let target = try ServerDatabase(try source.dump("--schema-only"))
        try await engine.restore(second.filename, into: target.address)
        try ServerDatabase.expectEqual(source, target)
    }

    private static let typed = """
        CREATE TABLE typed (id bigint PRIMARY KEY, b boolean, r real, d double precision, n numeric, m numeric(12, 2),
            t text, c char(4), j json, jb jsonb, by bytea, dt date, ts timestamptz, iv interval, u uuid, a integer[][],
            ip inet, bt bit(4), e text);
        """

    /// What `typed` is in SQLite, for the values below.
    private static let shape = """
        CREATE TABLE typed (id INTEGER PRIMARY KEY, b BOOLEAN, r REAL, d REAL, n TEXT, m DECIMAL(12, 2), t TEXT, c TEXT,
            j TEXT, jb JSON, "by" BLOB, dt DATE, ts TIMESTAMP, iv TEXT, u TEXT, a TEXT, ip TEXT, bt TEXT, e);
        """

    private static let rows = #"""
        INSERT INTO typed VALUES
            (-9223372036854775808, false, '-Infinity', 'Infinity', 'NaN', -0.10, '', '', '"x"', '[1.50]', '', '0044-03-15 BC',
             'infinity', '00:00:00', NULL, '{}', '::1', '0000', ' 1 '),
            (0, NULL, NULL, 1e300, 1.50, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (1, true, 1e-45, -2.2250738585072014e-308, 0, 5, '5', '5', '5', '"5"', '\x41', NULL, NULL, NULL, NULL, NULL, NULL,
             NULL, '5'),
            (9223372036854775807, true, 0.1, 0.30000000000000004, 12345678901234567890.1234567890, 9999999999.99,
             E'007\t"é\\', 'ab', '{"a": [1,  2.50]}', '{"b": null}', '\x00ff', '2024-02-29', '2024-02-29 12:00:00.123456Z',
             '1 mon -2 days', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[0:1][1:2]={{1,2},{NULL,4}}', '10.0.0.0/8', '0101',
             '1e5');
        """#

    @Test("Typed tables go to SQLite and back, as far as SQLite's types allow it") func types() async throws {
        let source = try ServerDatabase(Self.typed + Self.rows)
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let first = try await engine.backUp(source.address)
        let path = try file(bench, Self.shape)
        try await engine.restore(first.filename, into: "sqlite:" + path)
        #expect(
            try sqlite(
                path, "SELECT typeof(id), typeof(d), typeof(m), typeof(\"by\"), typeof(e) FROM typed WHERE id > 1")
                == ["integer|real|real|blob|text"])
        let second = try await engine.backUp("sqlite:" + path)
        let target = try ServerDatabase(Self.typed)
        try await engine.restore(second.filename, into: target.address)
        try ServerDatabase.expectEqual(source, target)
    }

    /// Column, its type and value there, its type in SQLite; nil where the value stays what it is.
    static let refusals: [(type: String, value: String, declared: String, shown: String?)] = [
        ("numeric", "1234567890.123456789", "NUMERIC", "1234567890.123456789"),
        ("numeric", "12345678901234567890", "INTEGER", "12345678901234567890"), ("numeric", "'NaN'", "REAL", "NaN"),
        ("numeric(5,2)", "1.50", "NUMERIC", nil), ("numeric", "9007199254740993", "NUMERIC", nil),
        ("numeric", "9007199254740993", "REAL", "9007199254740993"), ("numeric", "0.1", "REAL", nil),
        ("numeric", "123456789012345.6", "REAL", nil), ("bigint", "9007199254740993", "REAL", "9007199254740993"),
        ("bigint", "9007199254740993", "TEXT", nil), ("double precision", "'NaN'", "REAL", "NaN"),
        ("double precision", "'NaN'", "TEXT", nil), ("double precision", "0.30000000000000004", "TEXT", nil),
        ("double precision", "'-0'", "INTEGER", "-0.0"), ("double precision", "'-0'", "REAL", "-0.0"),
        ("double precision", "'-0'", "", nil),
        ("text", "'007'", "INTEGER", "007"), ("text", "'1e5'", "NUMERIC", "1e5"), ("text", "' 1'", "INTEGER", " 1"),
        ("text", "'5'", "INTEGER", nil), ("text", "'5'", "REAL", "5"), ("text", "'007'", "VARCHAR(9)", nil),
        ("text", "'1-2'", "NUMERIC", nil), ("text", "'.'", "NUMERIC", nil), ("date", "'2024-01-02'", "DATE", nil),
        ("json", "'1.0'", "JSON", "1.0"), ("json", "'{\"a\":1.0}'", "JSON", nil), ("bit(4)", "'0101'", "BIT", "0101"),
        ("text[]", "'{1}'", "NUMERIC", nil), ("bytea", "'\\x00'", "INTEGER", nil), ("boolean", "true", "TEXT", nil),
    ]

    @Test("What SQLite would make another value of is refused with column and value", arguments: refusals.indices)
    func refused(_ index: Int) async throws {
        let (type, value, declared, shown) = Self.refusals[index]
        let definition = "CREATE TABLE t (id integer, v \(type))"
        let source = try ServerDatabase("\(definition); INSERT INTO t VALUES (7, \(value))")
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let backup = try await engine.backUp(source.address)
        let path = try file(bench, "CREATE TABLE t (id INTEGER, v \(declared))")
        guard let shown else {
            try await engine.restore(backup.filename, into: "sqlite:" + path)
            let target = try ServerDatabase(definition)
            try await engine.restore(try await engine.backUp("sqlite:" + path).filename, into: target.address)
            return try ServerDatabase.expectEqual(source, target)
        }
        let error = await failure { try await engine.restore(backup.filename, into: "sqlite:" + path) }
        #expect(error.code == .target, "\(error)")
        for words in ["the value \(shown) of column \"v\"", "\"\(declared)\"", "row with id 7", "table \"t\""] {
            #expect(error.description.contains(words), "\(error)")
        }
        #expect(try sqlite(path, "SELECT count(*) FROM t") == ["0"])
    }

    /// A value of SQLite's, the type there, the column's type in PostgreSQL, and what the error says.
    static let others: [(declared: String, value: String, type: String, words: [String])] = [
        ("BLOB", "x'00ff'", "text", ["\"v\"", "\"AP8=\"", "byte string"]),
        ("TEXT", "x'00ff'", "text", ["\"v\"", "AP8=", "byte string"]),
        ("TEXT", "'abc'", "bytea", ["\"v\"", "\"abc\"", "bytea"]),
        ("BLOB", "5", "bytea", ["\"v\"", "the value 5"]), ("INTEGER", "2", "boolean", ["column v", "\"2\""]),
        ("REAL", "1.5", "integer", ["column v", "\"1.5\""]),
        ("TEXT", "'yesterdayish'", "date", ["column v", "yesterdayish"]),
        ("TEXT", "'nine'", "numeric", ["column v", "nine"]), ("JSON", "'not json'", "json", ["column v", "not json"]),
        ("TEXT", "CAST(x'ff41' AS TEXT)", "text", ["\"v\"", "/0E=", "not UTF-8"]),
        ("INTEGER", "70000", "smallint", ["column v", "70000"]),
    ]

    @Test("What PostgreSQL's column cannot hold is refused with column and value", arguments: others.indices)
    func refusedThere(_ index: Int) async throws {
        let (declared, value, type, words) = Self.others[index]
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let path = try file(
            bench,
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v \(declared)); INSERT INTO t VALUES (7, \(value))")
        let backup = try await engine.backUp("sqlite:" + path)
        let target = try ServerDatabase("CREATE TABLE t (id serial, v \(type))")
        let error = await failure { try await engine.restore(backup.filename, into: target.address) }
        #expect(error.code == .target, "\(error)")
        for word in words + ["table \"t\""] { #expect(error.description.contains(word), "\(error)") }
        #expect(try target.rows("SELECT count(*) FROM t") == ["0"])
    }

    @Test("Values of SQLite go into PostgreSQL's types, and counters move on") func fromSQLite() async throws {
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let path = try file(
            bench,
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, b BOOLEAN, n DECIMAL(9, 2), r REAL, s TEXT, j JSON, x BLOB,
                d TEXT, a TEXT, bi INTEGER);
            INSERT INTO t VALUES (41, 1, 1.5, 1e999, 'é', '{"k":[1]}', x'00ff', '2024-01-02 03:04:05', '{1,2}', 1);
            INSERT INTO t VALUES (42, 0, 3, -1e-300, '', '5', x'', NULL, NULL, 0);
            """)
        let backup = try await engine.backUp("sqlite:" + path)
        let target = try ServerDatabase(
            """
            CREATE TABLE t (id serial PRIMARY KEY, b boolean, n numeric(9, 2), r float8, s varchar, j jsonb, x bytea,
                d timestamp, a integer[], bi boolean);
            """)
        try await engine.restore(backup.filename, into: target.address)
        #expect(
            try target.rows("SELECT * FROM t ORDER BY id") == [
                #"41|t|1.50|Infinity|é|{"k": [1]}|\x00ff|2024-01-02 03:04:05|{1,2}|t"#, #"42|f|3.00|-1e-300||5|\x|||f"#,
            ])
        #expect(try target.rows("SELECT nextval('t_id_seq')") == ["43"])
        let proof = await failure {
            try await engine.restore(backup.filename, into: target.address) {
                $0.clearExisting = true
                $0.prove = true
            }
        }
        #expect(proof.code == .usage && proof.message.contains("cannot be proven"), "\(proof)")
    }
}
