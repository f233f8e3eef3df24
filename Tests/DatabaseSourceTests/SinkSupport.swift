import BackupCore
import CSQLite
import DatabaseSource
import Foundation
import Testing

/// A directory that goes when the test ends.
final class SinkDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sink-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

struct SinkFailure: Error, CustomStringConvertible {
    var description: String
}

/// A plain connection for making and looking at databases, independent of the code under test.
final class SinkDatabase {
    private let handle: OpaquePointer

    init(_ path: String, _ sql: String...) throws {
        var opened: OpaquePointer?
        guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else { throw SinkFailure(description: "open") }
        handle = opened
        for statement in sql { try run(statement) }
    }

    deinit { sqlite3_close_v2(handle) }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw SinkFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql)
        }
    }

    /// All rows, each column as text: null as "NULL".
    func rows(_ sql: String) throws -> [[String]] {
        var result: [[String]] = []
        try each(sql) { statement in
            result.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    guard let text = sqlite3_column_text(statement, column) else { return "NULL" }
                    return String(cString: text)
                })
        }
        return result
    }

    func first(_ sql: String) throws -> String { try rows(sql).first?.first ?? "nothing" }

    func each(_ sql: String, _ body: (OpaquePointer) throws -> Void) throws {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &prepared, nil) == SQLITE_OK, let statement = prepared else {
            throw SinkFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql)
        }
        defer { sqlite3_finalize(statement) }
        while true {
            let status = sqlite3_step(statement)
            if status == SQLITE_DONE { return }
            guard status == SQLITE_ROW else {
                throw SinkFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql)
            }
            try body(statement)
        }
    }
}

/// One table as an archive would hold it.
struct SinkTable {
    var description: TableDescription
    var rows: [String]
    var isForeign = false

    /// - Parameter columns: name, or name and encoding separated by a colon.
    init(_ name: String, _ columns: [String], rowidKey: String? = nil, _ rows: [String]) {
        let columns = columns.map { text in
            let parts = text.split(separator: ":").map(String.init)
            let encoding = parts.count > 1 ? ColumnEncoding(rawValue: parts[1]) ?? .value : .value
            return ColumnDescription(name: parts[0], type: "", encoding: encoding)
        }
        description = TableDescription(name: name, columns: columns, rowidKey: rowidKey)
        self.rows = rows
    }

    /// As Elder writes it: without schema.
    init(foreign name: String, _ rows: [String]) {
        self.init(name, [], rows)
        isForeign = true
    }

    func batch(_ rows: ArraySlice<String>) -> RowBatch {
        let batch = RowBatch()
        for row in rows {
            let start = batch.beginRow(reserving: row.utf8.count)
            batch.append(Array(row.utf8))
            batch.addRow(start: start, end: batch.count)
        }
        return batch
    }
}

/// An archive made by hand.
struct SinkArchive {
    var objects: [[String: String]] = []
    var settings: [String: Any] = [
        "encoding": "UTF-8", "page_size": 4096, "auto_vacuum": 0, "user_version": 0, "application_id": 0,
        "journal_mode": "delete", "reserved_bytes": 0, "default_cache_size": 0,
    ]
    var tables: [SinkTable] = []
    var hasSchema = true

    init(objects: [[String: String]] = [], tables: [SinkTable] = []) {
        self.objects = objects
        self.tables = tables
        hasSchema = !tables.contains { $0.isForeign }
    }

    /// One object; `kind` as in the format, an owner where it is a shadow table.
    static func object(_ kind: String, _ name: String, _ sql: String, table: String? = nil) -> [String: String] {
        ["kind": kind, "name": name, "table": table ?? name, "sql": sql]
    }

    /// All of a real database, its rows encoded here, apart from the code under test.
    init(of path: String) throws {
        let database = try SinkDatabase(path)
        for (key, pragma) in [
            ("page_size", "page_size"), ("auto_vacuum", "auto_vacuum"), ("user_version", "user_version"),
            ("application_id", "application_id"),
        ] { settings[key] = Int(try database.first("PRAGMA \(pragma)")) }
        settings["encoding"] = try database.first("PRAGMA encoding")
        settings["journal_mode"] = try database.first("PRAGMA journal_mode")
        let list = try database.rows(
            "SELECT s.type, s.name, s.tbl_name, s.sql, l.type, s.rootpage FROM sqlite_schema s "
                + "LEFT JOIN pragma_table_list l ON l.name=s.name AND l.schema='main' ORDER BY s.rowid")
        let virtuals = list.filter { $0[0] == "table" && $0[5] == "0" }.map { $0[1] }
        for row in list {
            var object = ["kind": row[0], "name": row[1], "table": row[2]]
            if row[3] != "NULL" { object["sql"] = row[3] }
            if row[0] == "table" {
                if row[5] == "0" {
                    object["kind"] = "virtual_table"
                    object["module"] = row[3].lowercased().components(separatedBy: " using ").last?
                        .split(separator: "(").first.map { $0.trimmingCharacters(in: .whitespaces) }
                } else if row[1].hasPrefix("sqlite_") {
                    object["kind"] = "internal_table"
                } else if row[4] == "shadow" {
                    object["kind"] = "shadow_table"
                    object["owner"] = virtuals.first { row[1].hasPrefix($0 + "_") }
                }
            }
            objects.append(object)
        }
        let stored = objects.filter { ["table", "shadow_table", "internal_table"].contains($0["kind"] ?? "") }
        let names = stored.compactMap { $0["name"] }
        for name in names.filter({ $0 != "sqlite_sequence" }) + names.filter({ $0 == "sqlite_sequence" }) {
            tables.append(try SinkArchive.table(name, database))
        }
    }

    private static func table(_ name: String, _ database: SinkDatabase) throws -> SinkTable {
        let quoted = "\"" + name.replacingOccurrences(of: "\"", with: "\"\"") + "\""
        let literal = "'" + name.replacingOccurrences(of: "'", with: "''") + "'"
        let columns = try database.rows("SELECT name FROM pragma_table_xinfo(\(literal)) WHERE hidden<2").map { $0[0] }
        let isWithoutRowid = try database.first("SELECT wr FROM pragma_table_list(\(literal))") == "1"
        let hasKey =
            try database.first(
                "SELECT count(*)=1 AND max(upper(type))='INTEGER' FROM pragma_table_xinfo(\(literal)) WHERE pk>0")
            == "1"
        let rowidKey = isWithoutRowid || hasKey ? nil : "$rowid"
        let list =
            (rowidKey.map { _ in ["rowid"] } ?? [])
            + columns.map { "\"" + $0.replacingOccurrences(of: "\"", with: "\"\"") + "\"" }
        var rows: [String] = []
        try database.each("SELECT \(list.joined(separator: ",")) FROM \(quoted)") { statement in
            let keys = (rowidKey.map { [$0] } ?? []) + columns
            let parts = try keys.enumerated().map { "\(try string($1)):\(try value(statement, Int32($0)))" }
            rows.append("{" + parts.joined(separator: ",") + "}")
        }
        var table = SinkTable(name, [], rowidKey: rowidKey, rows)
        table.description.columns = columns.map { ColumnDescription(name: $0, type: "", encoding: .value) }
        return table
    }

    static func string(_ text: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: try encoder.encode(text), as: UTF8.self)
    }

    private static func value(_ statement: OpaquePointer, _ column: Int32) throws -> String {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return String(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT:
            let value = sqlite3_column_double(statement, column)
            if value.isInfinite { return "{\"$real\":\"\(value < 0 ? "-" : "")Infinity\"}" }
            return "\(value)"
        case SQLITE_TEXT:
            let start = sqlite3_column_text(statement, column)
            let bytes = Array(UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
            if let text = String(validating: bytes, as: UTF8.self) { return try string(text) }
            return "{\"$text\":\"\(Data(bytes).base64EncodedString())\"}"
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(statement, column))
            let data = sqlite3_column_blob(statement, column).map { Data(bytes: $0, count: count) } ?? Data()
            return "{\"$bytes\":\"\(data.base64EncodedString())\"}"
        default: return "null"
        }
    }

    var contents: ArchiveContents {
        get throws {
            guard hasSchema else { return ArchiveContents(source: nil, schema: nil) }
            var definitions = settings
            definitions["objects"] = objects
            let json = try JSONSerialization.data(withJSONObject: definitions)
            return ArchiveContents(
                source: SourceDescription(engine: "sqlite", version: "3", database: "x", snapshot: "none"),
                schema: SchemaDocument(tables: tables.map(\.description), ledger: [], definitions: Array(json)))
        }
    }

    /// What the engine does, without threads. Gives the warnings.
    @discardableResult
    func restore(into path: String, _ options: RestoreOptions = RestoreOptions(), commit: Bool = true) throws
        -> [String]
    {
        let target = SQLiteTarget(path: path)
        do {
            try target.prepare(try contents, options: options)
            if target.needsSurvey {
                try each(target, options) { try $0.survey($1) }
                try target.endSurvey()
            }
            try each(target, options) { try $0.load($1) }
            let warnings = try target.finishLoading().warnings
            if commit { try target.commit() } else { target.rollback() }
            return warnings
        } catch {
            target.rollback()
            throw error
        }
    }

    private func each(
        _ target: SQLiteTarget, _ options: RestoreOptions, _ body: (any TableLoader, any DecodedRows) throws -> Void
    ) throws {
        for table in tables where target.tablesToLoad?.contains(ExactName(table.description.name)) ?? true {
            let loader = try target.loader(
                forTable: table.description.name, description: table.isForeign ? nil : table.description)
            let buffer = loader.makeBuffer()
            // Small batches, so that buffers are used again.
            for start in stride(from: 0, to: table.rows.count, by: 3) {
                let batch = table.batch(table.rows[start..<min(start + 3, table.rows.count)])
                try loader.decode(batch, into: buffer)
                try body(loader, buffer)
            }
        }
    }
}

/// The words of the failure; an empty text where nothing failed.
func failure(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}

/// What `VACUUM INTO` makes of a database, but for the bytes that differ in equal databases.
func vacuumed(_ path: String, in directory: SinkDirectory) throws -> Data {
    let copy = directory.file("vacuum-" + UUID().uuidString)
    try SinkDatabase(path).run("VACUUM INTO '\(copy)'")
    var data = try Data(contentsOf: URL(fileURLWithPath: copy))
    for range in [24..<28, 40..<44, 92..<100] { data.replaceSubrange(range, with: Data(count: range.count)) }
    try FileManager.default.removeItem(atPath: copy)
    return data
}
