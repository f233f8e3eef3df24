internal import BackupCore

/// Where the rows of tables go: over one connection, or over several.
protocol PostgreSQLRowSink: AnyObject {
    /// Takes rows for a table; their buffer is the caller's again afterwards, its content not.
    func put(_ rows: PostgreSQLDecodedRows, for loader: PostgreSQLTableLoader) throws(BackupError)
    /// Returns when the server has taken all rows, and as many as were given.
    func finish() throws(BackupError)
}

/// The one COPY that goes on over a connection: it ends when another table's rows come.
final class PostgreSQLCopySession: PostgreSQLRowSink {
    private let connection: PostgreSQLConnection
    private var current: PostgreSQLTableLoader?
    /// Rows that were given to the COPY that goes on.
    private var given: Int64 = 0

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
            given = 0
        }
        given += Int64(rows.rowCount)
        do {
            try connection.putCopy(rows.bytes, rows.count)
        } catch {
            current = nil
            throw error.located("table \"\(loader.decoder.table)\"")
        }
    }

    /// Ends the COPY that goes on.
    func finish() throws(BackupError) {
        guard let loader = current else { return }
        current = nil
        do throws(BackupError) {
            let taken = try connection.finishCopyIn()
            guard taken == given else {
                throw BackupError(
                    .target, "the server took \(taken) of \(given) rows: something on the table drops rows")
            }
        } catch {
            throw error.located("table \"\(loader.decoder.table)\"")
        }
    }
}
