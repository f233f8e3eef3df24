import CSQLite
import Foundation
import Testing

struct FaultFailure: Error, CustomStringConvertible {
    var description: String
}

/// A plain connection for making and looking at databases, independent of the code under test.
final class FaultDatabase {
    private let handle: OpaquePointer

    init(_ path: String, flags: Int32 = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) throws {
        var opened: OpaquePointer?
        guard sqlite3_open_v2(path, &opened, flags, nil) == SQLITE_OK, let opened else {
            throw FaultFailure(description: "cannot open \(path)")
        }
        handle = opened
        sqlite3_busy_timeout(handle, 10_000)
    }

    deinit { sqlite3_close_v2(handle) }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// The first column of the first row, as text.
    func first(_ sql: String) throws -> String? {
        var result: String?
        try each(sql) { statement in
            guard result == nil, let text = sqlite3_column_text(statement, 0) else { return }
            result = String(cString: text)
        }
        return result
    }

    func each(_ sql: String, _ body: (OpaquePointer) throws -> Void) throws {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &prepared, nil) == SQLITE_OK, let statement = prepared else {
            throw failure(sql)
        }
        defer { sqlite3_finalize(statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_DONE: return
            case SQLITE_ROW: try body(statement)
            default: throw failure(sql)
            }
        }
    }

    private func failure(_ sql: String) -> FaultFailure {
        FaultFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql)
    }
}

/// Everything a database holds, as a number: its schema, and each table's rows in their order, with types.
///
/// Opening the database recovers it first, where a process died while it wrote.
struct DatabaseContent: Equatable, CustomStringConvertible {
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var rows = 0
    let isSound: Bool

    var description: String { "\(rows) rows, \(String(hash, radix: 16))\(isSound ? "" : ", corrupt")" }

    init(of path: String) throws {
        let database = try FaultDatabase(path, flags: SQLITE_OPEN_READWRITE)
        isSound = try database.first("PRAGMA integrity_check") == "ok"
        var tables: [String] = []
        try database.each("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name") { statement in
            add(statement)
            let type = sqlite3_column_text(statement, 0).map { String(cString: $0) }
            guard type == "table", let name = sqlite3_column_text(statement, 1) else { return }
            tables.append(String(cString: name))
        }
        for table in tables {
            try database.each("SELECT * FROM \"\(table)\" ORDER BY 1") { statement in
                add(statement)
                rows += 1
            }
        }
    }

    private mutating func add(_ statement: OpaquePointer) {
        for column in 0..<sqlite3_column_count(statement) {
            add(UInt8(truncatingIfNeeded: sqlite3_column_type(statement, column)))
            let bytes = sqlite3_column_blob(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            for byte in UnsafeRawBufferPointer(start: bytes, count: count) { add(byte) }
            add(0xFF)
        }
    }

    /// FNV-1a.
    private mutating func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
}

/// Databases like those of an application: three tables that refer to one another, an index, a view.
enum SampleDatabase {
    static func make(_ path: String, rows: Int, seed: Int, logged: Bool = false) throws {
        let database = try FaultDatabase(path)
        try database.run(
            """
            PRAGMA journal_mode=\(logged ? "WAL" : "DELETE");
            BEGIN;
            CREATE TABLE organizations(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            CREATE TABLE entities(
                id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, organization_id INTEGER REFERENCES organizations,
                attributes TEXT, cost REAL, active INTEGER, secret BLOB, created_at TEXT);
            CREATE TABLE notes(entity_id INTEGER REFERENCES entities, text TEXT);
            CREATE INDEX entities_by_name ON entities(name);
            CREATE VIEW active_entities AS SELECT id, name FROM entities WHERE active;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 50)
            INSERT INTO organizations SELECT i, 'Organization ' || i || ' of \(seed)' FROM n;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < \(rows))
            INSERT INTO entities(name, organization_id, attributes, cost, active, secret, created_at)
            SELECT 'Entity é ' || i, 1 + (i * \(seed)) % 50, json_object('rack', i % 97, 'label', 'r' || (i * \(seed))),
                i * 1.25 + \(seed), i % 2, CAST('bytes' || i AS BLOB), datetime(1700000000 + i, 'unixepoch') FROM n;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < \(max(1, rows / 20)))
            INSERT INTO notes SELECT i, 'note ' || (i * \(seed)) FROM n;
            COMMIT;
            """)
    }
}
