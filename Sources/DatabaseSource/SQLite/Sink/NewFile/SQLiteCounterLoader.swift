internal import BackupCore

/// Keeps the counters of `AUTOINCREMENT` that an archive holds, one for each table.
///
/// `decode` touches nothing but the immutable decoder; the rest belongs to the session's thread.
final class SQLiteCounterLoader: TableLoader, @unchecked Sendable {
    private let decoder: SQLiteRowDecoder
    private let nameColumn: Int?
    private let valueColumn: Int?
    /// The greatest counter of each table.
    private(set) var values: [ExactName: Int64] = [:]

    init(_ description: TableDescription) {
        let columns = description.decoderColumns
        nameColumn = columns.firstIndex { $0.name == "name" }
        valueColumn = columns.firstIndex { $0.name == "seq" }
        decoder = SQLiteRowDecoder(table: description.name, columns: columns, isForeign: false, isUTF16: false)
    }

    func makeBuffer() -> any DecodedRows { SQLiteDecodedRows(columnCount: decoder.columns.count) }

    func decode(_ batch: RowBatch, into rows: any DecodedRows) throws {
        try decoder.decode(batch, into: try SQLiteTableLoader.own(rows))
    }

    func survey(_ rows: any DecodedRows) throws {}

    func load(_ rows: any DecodedRows) throws {
        let rows = try SQLiteTableLoader.own(rows)
        guard let nameColumn, let valueColumn else { return }
        for index in 0..<rows.rowCount {
            let name = rows.row(index)[nameColumn]
            let value = rows.row(index)[valueColumn]
            guard name.kind == .text, value.kind == .integer, let address = name.address else { continue }
            let text = ExactName(
                String(decoding: UnsafeBufferPointer(start: address, count: Int(name.length)), as: UTF8.self))
            values[text] = max(values[text] ?? .min, value.integer)
        }
    }
}

extension SQLiteConnection {
    /// Whether a table draws its ids from a counter: only SQLite's parser knows, so a copy of the table is asked.
    func countsIDs(of table: String) throws(BackupError) -> Bool {
        if try integer("SELECT 1 FROM main.sqlite_sequence WHERE name=?", table) != nil { return true }
        let sql = try text("SELECT sql FROM main.sqlite_schema WHERE type='table' AND name=?", table) ?? ""
        return sql.uppercased().contains("AUTOINCREMENT")
    }
}

extension SQLiteRowDecoder.Column {
    /// How values from an archive without schema go into a column as it is declared.
    init(foreign column: SQLiteTargetTable.Column) {
        let type = column.type.uppercased().filter { !$0.isWhitespace }
        name = column.name
        if type.contains("BLOB") || type.contains("BINARY") {
            form = .foreignBytes
        } else if type == "CHAR(1)" {
            form = .foreignLetter
        } else {
            form = .foreign
        }
    }
}
