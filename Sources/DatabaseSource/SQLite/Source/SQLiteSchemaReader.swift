internal import BackupCore
internal import CSQLite

/// Reads a database's structure from a connection that holds a read transaction.
struct SQLiteSchemaReader {
    let connection: SQLiteConnection

    func read() throws(BackupError) -> SQLiteSchema {
        // Already this reads the schema: it takes the snapshot, and tells whether this is a database at all.
        let encoding = try connection.text("PRAGMA main.encoding") ?? "UTF-8"
        let rows = try readRows(isUTF16: encoding != "UTF-8")
        let journalMode = try connection.text("PRAGMA main.journal_mode")
        let cacheSize = try number("default_cache_size")
        var schema = SQLiteSchema(
            encoding: encoding, pageSize: try number("page_size"), autoVacuum: try number("auto_vacuum"),
            userVersion: try number("user_version"), applicationID: try number("application_id"),
            // All forms of the rollback journal are choices of a connection; only WAL is written into the file.
            journalMode: journalMode == "wal" ? "wal" : "delete",
            reservedBytes: try reservedBytes(),
            // A negative number is the library's own choice: the file holds none.
            defaultCacheSize: max(0, cacheSize), objects: [])
        schema.objects = try classify(rows)
        return schema
    }

    private func number(_ pragma: String) throws(BackupError) -> Int {
        Int(try connection.integer("PRAGMA main.\(pragma)") ?? 0)
    }

    /// Asked of the library: opening a database file in any other way would drop this process's locks on it.
    private func reservedBytes() throws(BackupError) -> Int {
        var bytes: Int32 = -1
        let status = sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes)
        guard status == SQLITE_OK else { throw connection.error(status) }
        return Int(max(0, bytes))
    }

    // MARK: Objects

    private struct Row {
        var type: String
        var name: String
        var table: String
        var sql: String?
    }

    private func readRows(isUTF16: Bool) throws(BackupError) -> [Row] {
        let statement = try connection.prepare(
            "SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY rowid")
        var rows: [Row] = []
        while try statement.step() {
            guard (0..<4).allSatisfy({ isWellFormed(statement, $0, isUTF16: isUTF16) }) else {
                let name = sqlite3_column_text(statement.handle, 1).map { String(cString: $0) } ?? ""
                throw BackupError(
                    .unsupported,
                    "the name or definition of \"\(name)\" is not valid Unicode text; rename or redefine it")
            }
            rows.append(
                Row(
                    type: try statement.text(0) ?? "", name: try statement.text(1) ?? "",
                    table: try statement.text(2) ?? "", sql: try statement.text(3)))
        }
        return rows
    }

    private func isWellFormed(_ statement: SQLiteStatement, _ column: Int32, isUTF16: Bool) -> Bool {
        let handle = statement.handle
        if isUTF16 {
            guard let wide = sqlite3_column_text16(handle, column) else { return true }
            return UTF16Text.survivesUTF8(wide, Int(sqlite3_column_bytes16(handle, column)))
        }
        guard let text = sqlite3_column_text(handle, column) else { return true }
        return JSONText.isUTF8(text, 0, Int(sqlite3_column_bytes(handle, column)))
    }

    private func classify(_ rows: [Row]) throws(BackupError) -> [SQLiteSchema.Object] {
        let types = try tableTypes()
        let virtualNames = rows.filter { $0.type == "table" && types[SQLiteName($0.name)] == "virtual" }.map(\.name)
        var objects: [SQLiteSchema.Object] = []
        for row in rows {
            var object = SQLiteSchema.Object(
                kind: try kind(of: row, tableType: types[SQLiteName(row.name)]), name: row.name, table: row.table,
                sql: row.sql)
            if object.kind == .shadowTable { object.owner = owner(of: row.name, among: virtualNames) }
            if object.kind == .virtualTable { object.module = row.sql.flatMap(SQLiteSchemaReader.module(in:)) }
            objects.append(object)
        }
        return objects
    }

    private func tableTypes() throws(BackupError) -> [SQLiteName: String] {
        let statement = try connection.prepare("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")
        var types: [SQLiteName: String] = [:]
        while try statement.step() {
            if let name = try statement.text(0), let type = try statement.text(1) { types[SQLiteName(name)] = type }
        }
        return types
    }

    private func kind(of row: Row, tableType: String?) throws(BackupError) -> SQLiteSchema.Object.Kind {
        switch (row.type, tableType) {
        case ("table", "virtual"): return .virtualTable
        case ("table", "shadow"): return .shadowTable
        case ("table", "table"):
            return asciiLowercased(row.name).hasPrefix("sqlite_") ? .internalTable : .table
        case ("index", _): return .index
        case ("view", _): return .view
        case ("trigger", _): return .trigger
        default:
            throw BackupError(
                .unsupported, "the schema holds \"\(row.name)\" of unknown kind \"\(row.type)\"; nothing was backed up")
        }
    }

    /// The virtual table that a shadow table belongs to: the longest name that stands before an underscore in its own.
    private func owner(of shadow: String, among virtualNames: [String]) -> String? {
        let shadow = SQLiteName(shadow)
        return virtualNames.filter { shadow.isShadow(of: SQLiteName($0)) }.max { $0.utf8.count < $1.utf8.count }
    }

    /// The module in `CREATE VIRTUAL TABLE name USING module(…)`, in which name and module may be quoted and comments
    /// may stand anywhere.
    static func module(in sql: String) -> String? {
        var tokens = SQLiteTokens(sql)
        var sawName = false
        while let token = tokens.next() {
            if !token.isQuoted, asciiLowercased(token.text) == "table" { break }
        }
        // The name may itself be "using", quoted; the keyword comes after at least one token.
        while let token = tokens.next() {
            if sawName, !token.isQuoted, asciiLowercased(token.text) == "using" { return tokens.next()?.text }
            sawName = true
        }
        return nil
    }
}
