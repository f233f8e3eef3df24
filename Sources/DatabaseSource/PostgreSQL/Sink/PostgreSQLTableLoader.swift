internal import BackupCore

/// Puts rows into one table, by COPY.
///
/// `decode` touches nothing but the immutable decoder; everything else belongs to the session's thread.
final class PostgreSQLTableLoader: TableLoader, @unchecked Sendable {
    let decoder: PostgreSQLRowDecoder
    /// The statement that takes the rows; nil where they are not taken.
    let copy: String?
    private let session: PostgreSQLCopySession
    private(set) var rowCount: Int64 = 0

    init(decoder: PostgreSQLRowDecoder, copy: String?, session: PostgreSQLCopySession) {
        self.decoder = decoder
        self.copy = copy
        self.session = session
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
        try session.put(rows, for: self)
        rowCount += Int64(rows.rowCount)
    }
}

/// The one COPY that goes on over a connection: it ends when another table's rows come.
final class PostgreSQLCopySession {
    private let connection: PostgreSQLConnection
    private var current: PostgreSQLTableLoader?

    init(_ connection: PostgreSQLConnection) { self.connection = connection }

    func put(_ rows: PostgreSQLDecodedRows, for loader: PostgreSQLTableLoader) throws(BackupError) {
        if current !== loader {
            try finish()
            guard let copy = loader.copy else { return }
            do {
                try connection.beginCopyIn(copy)
            } catch {
                throw error.located("table \"\(loader.decoder.table)\"")
            }
            current = loader
        }
        do {
            try connection.putCopy(rows.bytes, rows.count)
        } catch {
            current = nil
            throw error.located("table \"\(loader.decoder.table)\"")
        }
    }

    /// Ends the COPY that goes on, and checks that the server took every row.
    func finish() throws(BackupError) {
        guard let loader = current else { return }
        current = nil
        do throws(BackupError) {
            let taken = try connection.finishCopyIn()
            guard taken == loader.rowCount else {
                throw BackupError(
                    .target, "the server took \(taken) of \(loader.rowCount) rows: something on the table drops rows")
            }
        } catch {
            throw error.located("table \"\(loader.decoder.table)\"")
        }
    }
}
