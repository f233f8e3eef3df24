internal import BackupCore
internal import CSQLite

/// How a table's rows are reached: by row number or by primary key.
struct SQLiteTableAccess: Equatable {
    /// The name under which the hidden row number can be read; nil where there is none, or columns took all its names.
    var rowidName: String?
    /// Whether the row number is a column too (`INTEGER PRIMARY KEY`).
    var hasIntegerKey: Bool
    /// For a table without row numbers: the index that is the table, and the columns of its key.
    var primaryKey: (index: String, columns: [String])?

    static func == (left: SQLiteTableAccess, right: SQLiteTableAccess) -> Bool {
        left.rowidName == right.rowidName && left.hasIntegerKey == right.hasIntegerKey
            && left.primaryKey?.index == right.primaryKey?.index
            && left.primaryKey?.columns == right.primaryKey?.columns
    }

    /// - Parameter columns: all columns of the table, hidden ones too.
    init(
        of table: String, isWithoutRowid: Bool, columns: [SQLiteColumn], on connection: SQLiteConnection
    ) throws(BackupError) {
        let names = Set(columns.map { asciiLowercased($0.name) })
        let keyColumns = columns.filter { $0.keyPosition > 0 }.sorted { $0.keyPosition < $1.keyPosition }
        let keyIndex = try connection.text("SELECT name FROM pragma_index_list(?1, 'main') WHERE origin = 'pk'", table)
        if isWithoutRowid {
            guard let keyIndex else {
                throw BackupError(.internal, "table \"\(table)\" has neither row numbers nor a primary key")
            }
            primaryKey = (keyIndex, keyColumns.map(\.name))
            hasIntegerKey = false
        } else {
            rowidName = ["rowid", "_rowid_", "oid"].first { !names.contains($0) }
            // An index of its own means that the key is not the row number (`INTEGER PRIMARY KEY DESC`).
            hasIntegerKey =
                keyColumns.count == 1 && asciiLowercased(keyColumns[0].type) == "integer" && keyIndex == nil
            if hasIntegerKey { rowidName = keyColumns[0].name }
        }
    }

    /// Whether the row number is to be kept, in a table of so many columns: it has one that is no column, and SQLite
    /// can read one more value at once (https://sqlite.org/limits.html#max_column).
    func keepsRowNumbers(besides columnCount: Int) -> Bool {
        !hasIntegerKey && rowidName != nil && columnCount < SQLiteTableAccess.mostValues
    }

    /// The number of columns with which Debian builds SQLite, and its default.
    private static let mostValues = 2000

    /// Whether rows have a number that no column tells and that cannot be read.
    var losesRowNumbers: Bool { primaryKey == nil && rowidName == nil }

    /// The query for a table's rows.
    ///
    /// It names the columns by their table, because SQLite takes a quoted name that it does not know for a string. A
    /// covering index would give another order, so none may be used; that a table without row numbers is its own
    /// index must be said by that index's name, for there `NOT INDEXED` rules out nothing.
    func selectRows(of table: TableDescription) -> String {
        var columns = table.columns.map { "t." + SQLiteConnection.quote($0.name) }
        if table.rowidKey != nil, let rowidName { columns.insert("t." + SQLiteConnection.quote(rowidName), at: 0) }
        return "SELECT \(columns.joined(separator: ", ")) FROM \(from(table))"
    }

    private func from(_ table: TableDescription) -> String {
        let order = primaryKey.map { "INDEXED BY " + SQLiteConnection.quote($0.index) } ?? "NOT INDEXED"
        return "main.\(SQLiteConnection.quote(table.name)) AS t \(order)"
    }

    /// The row behind the first `count` rows, as a user would look for it: by row number, by key, or by its place.
    func nameRow(after count: Int64, of table: TableDescription, on connection: SQLiteConnection) -> String {
        let place = "row \(count + 1) in order"
        // The limit is what made the row fail; to see its key the row must be opened, not read.
        let limit = sqlite3_limit(connection.handle, SQLITE_LIMIT_LENGTH, Int32.max)
        defer { sqlite3_limit(connection.handle, SQLITE_LIMIT_LENGTH, limit) }
        let columns = primaryKey?.columns ?? (rowidName.map { [$0] } ?? [])
        guard !columns.isEmpty else { return place }
        let list = columns.map { "substr(quote(t.\(SQLiteConnection.quote($0))), 1, 200)" }
        let query = "SELECT \(list.joined(separator: " || ', ' || ")) FROM \(from(table)) LIMIT 1 OFFSET \(count)"
        guard let key = try? connection.text(query) else { return place }
        return primaryKey == nil ? "rowid \(key)" : "primary key (\(key))"
    }
}

/// One column as `PRAGMA table_xinfo` tells it.
struct SQLiteColumn: Equatable {
    var name: String
    /// As declared; empty where nothing is.
    var type: String
    /// The place in the primary key from 1, or 0.
    var keyPosition: Int
    /// 0 ordinary, 1 hidden, 2 generated when read, 3 generated and stored.
    var hidden: Int

    var isGenerated: Bool { hidden == 2 || hidden == 3 }

    static func all(of table: String, on connection: SQLiteConnection) throws(BackupError) -> [SQLiteColumn] {
        let statement = try connection.prepare("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1, 'main')")
        statement.bind(table, at: 1)
        var columns: [SQLiteColumn] = []
        while try statement.step() {
            columns.append(
                SQLiteColumn(
                    name: try statement.text(0) ?? "", type: try statement.text(1) ?? "",
                    keyPosition: Int(statement.integer(2)), hidden: Int(statement.integer(3))))
        }
        return columns
    }

    /// How the column's values are written, by its declared type.
    var encoding: ColumnEncoding {
        switch asciiLowercased(type) {
        case "bool", "boolean": .boolean
        case "json", "jsonb": .json
        case let type where type.contains("blob") || type.contains("binary"): .bytes
        default: .value
        }
    }
}

/// SQLite compares names by their bytes, but for the case of ASCII letters.
func asciiLowercased(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
}
