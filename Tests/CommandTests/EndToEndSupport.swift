import CSQLite
import Foundation
import Glibc
import Testing

struct EndToEndFailure: Error, CustomStringConvertible {
    var description: String
}

/// The program in a directory of its own: a database `app.sqlite`, archives in `backups`.
final class EndToEnd {
    let directory: TemporaryDirectory
    var environment: [String: String]

    init(_ sql: String = EndToEnd.schema) throws {
        directory = try TemporaryDirectory()
        environment = [
            "BACKUP_DIR": directory.path("backups"), "BACKUP_LOCK_TIMEOUT": "1s",
            "PATH": CommandRun.program.deletingLastPathComponent().path(percentEncoded: false) + ":/usr/bin:/bin",
        ]
        try database("app.sqlite", "PRAGMA journal_mode=WAL; " + sql)
    }

    static let schema = """
        CREATE TABLE teams(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, age INTEGER CHECK(age < 200),
            team_id INTEGER REFERENCES teams);
        CREATE TABLE facts(id INTEGER PRIMARY KEY, amount INTEGER) STRICT;
        CREATE TABLE logs(line TEXT);
        INSERT INTO teams VALUES(1, 'red'), (2, 'blue');
        INSERT INTO users VALUES(1, 'ada@example.org', 36, 1), (2, 'bob@example.org', 40, 2);
        INSERT INTO facts VALUES(1, 10);
        INSERT INTO logs VALUES('one'), ('two'), ('three');
        """

    func path(_ name: String) -> String { directory.path(name) }

    func run(_ arguments: String..., environment changes: [String: String] = [:]) throws -> CommandRun {
        try CommandRun(arguments, environment: environment.merging(changes) { $1 }, in: directory)
    }

    /// Backs `app.sqlite` up; the archive's path.
    func backup(_ arguments: String...) throws -> String {
        let run = try CommandRun(
            ["backup", "--source", "sqlite:app.sqlite", "--json"] + arguments, environment: environment, in: directory)
        guard run.status == 0, let path = run.object?["file_path"] as? String else {
            throw EndToEndFailure(description: "no backup: \(run.messages)")
        }
        return path
    }

    /// Runs a line in a shell that finds the program by its name.
    func shell(_ line: String) throws -> CommandRun {
        try CommandRun(
            ["-c", line], environment: environment, in: directory, program: URL(filePath: "/bin/bash"))
    }

    func database(_ name: String, _ sql: String) throws {
        let database = try Database(path(name))
        try database.run(sql)
    }

    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        try Data(bytes).write(to: directory.url.appending(path: name))
    }

    func read(_ name: String) throws -> Data { try Data(contentsOf: directory.url.appending(path: name)) }

    /// Every file with its content, but for locks, logs' indexes and what a run prints; and but for `held.sqlite`,
    /// since a process that closes a file gives up all its locks on it. Of the catalog its rows, but for the audit log,
    /// which tells of what failed too.
    func tree() throws -> [String: Data] {
        var tree: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path("")) {
            if [".output", ".messages", "held.sqlite"].contains(name) || name.contains(".locks")
                || name.hasSuffix("-shm")
            {
                continue
            }
            tree[name] = (try? name == "backups/catalog.sqlite" ? catalogRows() : read(name)) ?? Data()
        }
        return tree
    }

    private func catalogRows() throws -> Data {
        let database = try Database(path("backups/catalog.sqlite"))
        let tables = try database.column(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('audit_log', 'sqlite_sequence') "
                + "ORDER BY name")
        var text = ""
        for table in tables {
            let columns = try database.column("SELECT name FROM pragma_table_info('\(table)')")
            let row = columns.map { "quote(\"\($0)\")" }.joined(separator: " || ',' || ")
            text += try ([table] + database.column("SELECT \(row) FROM \(table) ORDER BY 1")).joined(separator: "\n")
        }
        return Data(text.utf8)
    }

    /// The state of each backup, by number.
    func states() throws -> [Int: String] {
        let run = try run("list", "--json")
        let records = run.object?["backups"] as? [[String: Any]] ?? []
        return Dictionary(
            uniqueKeysWithValues: records.compactMap { record in
                (record["id"] as? Int).map { ($0, record["status"] as? String ?? "") }
            })
    }
}

/// A plain connection, independent of the code under test.
final class Database {
    let handle: OpaquePointer

    init(_ path: String) throws {
        var opened: OpaquePointer?
        guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else {
            throw EndToEndFailure(description: "cannot open \(path)")
        }
        handle = opened
    }

    deinit { sqlite3_close_v2(handle) }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw EndToEndFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql)
        }
    }

    /// The first column of the first row.
    func first(_ sql: String) throws -> String? { try rows(sql, limit: 1).first ?? nil }

    /// The first column of all rows, nulls as nothing.
    func column(_ sql: String) throws -> [String] { try rows(sql, limit: .max).map { $0 ?? "" } }

    private func rows(_ sql: String, limit: Int) throws -> [String?] {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
            throw EndToEndFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql)
        }
        defer { sqlite3_finalize(statement) }
        var rows: [String?] = []
        while rows.count < limit, sqlite3_step(statement) == SQLITE_ROW {
            rows.append(sqlite3_column_text(statement, 0).map { String(cString: $0) })
        }
        return rows
    }
}

/// A failure that is told as it should be: the status, one line, and with `--json` the same as one object.
func expectFailure(
    _ run: CommandRun, status: Int32 = 1, code: String, saying words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(run.status == status, "\(run.messages)", sourceLocation: sourceLocation)
    let lines = run.messages.split(separator: "\n").filter { !$0.hasPrefix("elder-backup: warning: ") }
    #expect(lines.count == 1, "\(run.messages)", sourceLocation: sourceLocation)
    let line = lines.first ?? ""
    #expect(line.hasPrefix("elder-backup: "), sourceLocation: sourceLocation)
    for word in words { #expect(line.contains(word), "\(line)", sourceLocation: sourceLocation) }
    #expect(run.object?["success"] as? Bool == false, "\(run.output)", sourceLocation: sourceLocation)
    #expect(run.object?["code"] as? String == code, "\(run.output)", sourceLocation: sourceLocation)
    #expect("elder-backup: \(run.object?["error"] as? String ?? "")" == line, sourceLocation: sourceLocation)
}

/// Gzip without compression: blocks that are stored (RFC 1951 and 1952), so that a test needs no other program.
enum StoredGzip {
    static func data(_ text: String) -> Data { data(Data(text.utf8)) }

    static func data(_ content: Data) -> Data {
        var result = Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
        var rest = content[...]
        repeat {
            let block = rest.prefix(65535)
            rest = rest.dropFirst(block.count)
            let count = UInt16(block.count)
            result.append(contentsOf: [rest.isEmpty ? 1 : 0, UInt8(count & 0xFF), UInt8(count >> 8)])
            result.append(contentsOf: [UInt8(~count & 0xFF), UInt8(~count >> 8)])
            result.append(block)
        } while !rest.isEmpty
        for number in [checksum(content), UInt32(truncatingIfNeeded: content.count)] {
            withUnsafeBytes(of: number.littleEndian) { result.append(contentsOf: $0) }
        }
        return result
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    private static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
    }
}
