import CSQLite

struct TestFailure: Error, CustomStringConvertible {
    var description: String
}

/// A value of one of SQLite's storage classes, to the byte.
enum SQLValue {
    case null
    case integer(Int64)
    case real(Double)
    /// UTF-8, or little-endian UTF-16 where the database is in UTF-16, well-formed or not.
    case text([UInt8])
    case blob([UInt8])

    static func text(_ string: String) -> SQLValue { .text(Array(string.utf8)) }
}

/// A plain connection for making and looking at databases, independent of the code under test.
final class TestDatabase {
    private let handle: OpaquePointer
    private(set) var textEncoding = UInt8(SQLITE_UTF8)

    init(_ path: String, _ statements: String...) throws {
        var opened: OpaquePointer?
        guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else {
            throw TestFailure(description: "cannot open \(path)")
        }
        handle = opened
        sqlite3_busy_timeout(handle, 20_000)
        for statement in statements { try run(statement) }
    }

    deinit { sqlite3_close_v2(handle) }

    /// For an empty database only.
    func useEncoding(_ name: String) throws {
        try run("PRAGMA encoding='\(name)'")
        textEncoding = UInt8(name == "UTF-8" ? SQLITE_UTF8 : SQLITE_UTF16LE)
    }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// Runs a statement once for each list of values.
    func run(_ sql: String, _ rows: [[SQLValue]]) throws {
        let statement = try prepare(sql)
        defer { sqlite3_finalize(statement) }
        for row in rows {
            sqlite3_reset(statement)
            for (index, value) in row.enumerated() { bind(value, statement, Int32(index + 1)) }
            guard sqlite3_step(statement) == SQLITE_DONE else { throw failure(sql) }
        }
    }

    private func bind(_ value: SQLValue, _ statement: OpaquePointer, _ index: Int32) {
        // The text must outlive the call only: SQLite copies it.
        let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let number): sqlite3_bind_int64(statement, index, number)
        case .real(let number): sqlite3_bind_double(statement, index, number)
        case .text(let bytes):
            (bytes + [0]).withUnsafeBytes { buffer in
                let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                _ = sqlite3_bind_text64(statement, index, start, UInt64(bytes.count), copy, textEncoding)
            }
        case .blob(let bytes):
            (bytes + [0]).withUnsafeBytes { buffer in
                _ = sqlite3_bind_blob64(statement, index, buffer.baseAddress, UInt64(bytes.count), copy)
            }
        }
    }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &prepared, nil) == SQLITE_OK, let statement = prepared else {
            throw failure(sql)
        }
        return statement
    }

    private func failure(_ sql: String) -> TestFailure {
        TestFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql.prefix(500))
    }

    /// All rows, each column as text: null as "NULL".
    func rows(_ sql: String) throws -> [[String]] {
        let statement = try prepare(sql)
        defer { sqlite3_finalize(statement) }
        var result: [[String]] = []
        while true {
            let status = sqlite3_step(statement)
            if status == SQLITE_DONE { return result }
            guard status == SQLITE_ROW else { throw failure(sql) }
            result.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    guard let text = sqlite3_column_text(statement, column) else { return "NULL" }
                    return String(cString: text)
                })
        }
    }

    /// The first column of the first row.
    func first(_ sql: String) throws -> String { try rows(sql).first?.first ?? "nothing" }

    /// A name as SQL.
    static func quote(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
