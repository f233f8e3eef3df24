internal import BackupCore

/// Puts rows into one table, by COPY.
///
/// `decode` touches nothing but the immutable decoder; everything else belongs to the session's thread.
final class PostgreSQLTableLoader: TableLoader, @unchecked Sendable {
    let decoder: PostgreSQLRowDecoder
    /// The statement that takes the rows; nil where they are not taken.
    let copy: String?
    private let sink: any PostgreSQLRowSink
    private(set) var rowCount: Int64 = 0

    init(decoder: PostgreSQLRowDecoder, copy: String?, sink: any PostgreSQLRowSink) {
        self.decoder = decoder
        self.copy = copy
        self.sink = sink
    }

    func makeBuffer() -> any DecodedRows { PostgreSQLDecodedRows() }

    func decode(_ batch: RowBatch, into rows: any DecodedRows) throws {
        guard copy != nil else { return }
        try decoder.decode(batch, into: try PostgreSQLTableLoader.own(rows))
    }

    private static func own(_ rows: any DecodedRows) throws(BackupError) -> PostgreSQLDecodedRows {
        guard let rows = rows as? PostgreSQLDecodedRows else {
            throw BackupError(.internal, "rows decoded for another target came to a PostgreSQL target")
        }
        return rows
    }

    func survey(_ rows: any DecodedRows) throws {}

    func load(_ rows: any DecodedRows) throws {
        guard copy != nil else { return }
        let rows = try PostgreSQLTableLoader.own(rows)
        guard rows.rowCount > 0 else { return }
        rowCount += Int64(rows.rowCount)
        try sink.put(rows, for: self)
    }
}
