internal import BackupCore

/// What of a database is dumped, and how: the tables in order, the way to their rows, and the ledger.
struct SQLiteDumpPlan {
    private(set) var tables: [TableDescription] = []
    private(set) var accesses: [SQLiteName: SQLiteTableAccess] = [:]
    private(set) var ledger: [LedgerEntry] = []

    init(
        of schema: SQLiteSchema, on connection: SQLiteConnection, options: SnapshotOptions
    ) throws(BackupError) {
        let selection = try SQLiteSelection(
            of: schema, including: options.includedTables, excluding: options.excludedTables)
        var notes: [SQLiteName: [String]] = [:]
        let listing = try SQLiteTableListing(connection)
        for object in selection.tables {
            let columns = try SQLiteColumn.all(of: object.name, on: connection)
            let access = try listing.access(to: object.name, columns: columns, on: connection)
            tables.append(SQLiteDumpPlan.describe(object.name, columns: columns, access: access))
            accesses[SQLiteName(object.name)] = access
            notes[SQLiteName(object.name)] = SQLiteDumpPlan.notes(
                columns: columns, access: access, secrets: options.secrets(of: object.name))
        }
        ledger = try selection.ledger(notes: notes)
    }

    private static func describe(
        _ name: String, columns: [SQLiteColumn], access: SQLiteTableAccess
    ) -> TableDescription {
        let shown = columns.filter { $0.hidden == 0 }
        var rowidKey: String?
        if access.keepsRowNumbers(besides: shown.count) {
            var key = "$rowid"
            while shown.contains(where: { $0.name.isExactly(key) }) { key = "$" + key }
            rowidKey = key
        }
        return TableDescription(
            name: name,
            columns: shown.map { ColumnDescription(name: $0.name, type: $0.type, encoding: $0.encoding) },
            rowidKey: rowidKey)
    }

    private static func notes(
        columns: [SQLiteColumn], access: SQLiteTableAccess, secrets: Set<SQLiteName>
    ) -> [String] {
        var notes: [String] = []
        let generated = columns.filter(\.isGenerated).map(\.name)
        if !generated.isEmpty {
            let isOne = generated.count == 1
            notes.append(
                "generated column\(isOne ? "" : "s") \(generated.joined(separator: ", ")) \(isOne ? "is" : "are")"
                    + " computed anew")
        }
        if access.losesRowNumbers {
            notes.append("row numbers cannot be read: columns have taken the names rowid, _rowid_ and oid")
        } else if !access.hasIntegerKey, access.rowidName != nil,
            !access.keepsRowNumbers(besides: columns.count { $0.hidden == 0 })
        {
            notes.append("row numbers are not kept: with them a row would have more values than SQLite reads at once")
        }
        let hiddenSecrets = columns.map(\.name).filter { secrets.contains(SQLiteName($0)) }
        if !hiddenSecrets.isEmpty {
            notes.append("secrets are left out: \(hiddenSecrets.joined(separator: ", "))")
        }
        return notes
    }
}

/// Which tables have row numbers, asked once for all of them: SQLite looks through all tables each time.
struct SQLiteTableListing {
    private var isWithoutRowid: [SQLiteName: Bool] = [:]

    init(_ connection: SQLiteConnection) throws(BackupError) {
        let statement = try connection.prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'")
        while try statement.step() {
            guard let name = try statement.text(0) else { continue }
            isWithoutRowid[SQLiteName(name)] = statement.integer(1) != 0
        }
    }

    /// How the rows of a table are reached.
    func access(
        to table: String, columns: [SQLiteColumn], on connection: SQLiteConnection
    ) throws(BackupError) -> SQLiteTableAccess {
        guard let isWithoutRowid = isWithoutRowid[SQLiteName(table)] else {
            throw BackupError(.internal, "no table \"\(table)\" in the database")
        }
        return try SQLiteTableAccess(of: table, isWithoutRowid: isWithoutRowid, columns: columns, on: connection)
    }
}

extension SnapshotOptions {
    /// The columns of a table whose values are never read.
    func secrets(of table: String) -> Set<SQLiteName> {
        let table = SQLiteName(table)
        return Set(secretColumns.filter { SQLiteName($0.key) == table }.flatMap { $0.value.map(SQLiteName.init(_:)) })
    }
}

/// About how many rows there are, for a progress bar, from what costs next to nothing.
struct SQLiteRowEstimate {
    let connection: SQLiteConnection
    let pageSize: Int

    /// Nil where nothing is known of any table. A table of which nothing is known counts for nothing; a failure to
    /// estimate is no failure of the backup.
    func rows(of tables: [TableDescription], accesses: [SQLiteName: SQLiteTableAccess]) -> Int? {
        let pages = (try? connection.integer("PRAGMA main.page_count")).flatMap { $0 } ?? 0
        // No row takes less than four bytes: row numbers far above what the file can hold say nothing of its rows.
        let most = Int(pages) * pageSize / 4
        let hasStatistics = tables.contains { $0.name == "sqlite_stat1" }
        var total: Int?
        for table in tables {
            let analysed = hasStatistics ? analysedRows(of: table.name) : nil
            guard let rows = analysed ?? highestRow(of: table.name, accesses[SQLiteName(table.name)]) else { continue }
            total = min((total ?? 0) + min(max(0, rows), most), most)
        }
        return total
    }

    /// The first number of any of a table's lines in the statistics is its count of rows; an index with a condition
    /// counts fewer.
    private func analysedRows(of table: String) -> Int? {
        let query = "SELECT max(CAST(stat AS INTEGER)) FROM main.sqlite_stat1 WHERE tbl = ?1"
        return (try? connection.integer(query, table)).flatMap { $0 }.map { Int($0) }
    }

    private func highestRow(of table: String, _ access: SQLiteTableAccess?) -> Int? {
        guard let name = access?.rowidName else { return nil }
        let query = "SELECT max(t.\(SQLiteConnection.quote(name))) FROM main.\(SQLiteConnection.quote(table)) AS t"
        return (try? connection.integer(query)).flatMap { $0 }.map { Int($0) }
    }
}
