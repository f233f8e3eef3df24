internal import BackupCore
internal import CSQLite

/// Reads one table of a snapshot, row after row, in the order in which it is stored.
final class SQLiteTableReader: TableReader {
    private let table: TableDescription
    private let access: SQLiteTableAccess
    private let connection: SQLiteConnection
    private let encoder: SQLiteRowEncoder
    private let maximumRow: Int
    /// Called once a batch; throws when the snapshot must be given up.
    private let check: () throws(BackupError) -> Void

    private var statement: SQLiteStatement?
    private var rowsRead: Int64 = 0
    /// The row on which the statement stands was measured but not written: it waits for an empty batch.
    private var waiting: SQLiteRowEncoder.Measure?

    init(
        table: TableDescription, access: SQLiteTableAccess, connection: SQLiteConnection, secrets: Set<SQLiteName>,
        isUTF16: Bool, maximumRow: Int, check: @escaping () throws(BackupError) -> Void
    ) throws(BackupError) {
        self.table = table
        self.access = access
        self.connection = connection
        self.maximumRow = maximumRow
        self.check = check
        var keys: [(name: String, encoding: ColumnEncoding)] = []
        if let key = table.rowidKey { keys.append((key, .value)) }
        keys += table.columns.map { ($0.name, $0.encoding) }
        encoder = SQLiteRowEncoder(keys: keys, secrets: secrets, isUTF16: isUTF16)
        do {
            statement = try connection.prepare(access.selectRows(of: table))
        } catch {
            throw error.located("table \"\(table.name)\"")
        }
    }

    func fill(_ batch: RowBatch, acceptsLargeRow: Bool) throws(BackupError) -> FillResult {
        do {
            try check()
            guard let statement else { return .last }
            let result = try fill(batch, from: statement, acceptsLargeRow: acceptsLargeRow)
            if result == .last { self.statement = nil }
            return result
        } catch {
            statement = nil
            throw error.located("table \"\(table.name)\"")
        }
    }

    private func fill(
        _ batch: RowBatch, from statement: SQLiteStatement, acceptsLargeRow: Bool
    ) throws(BackupError) -> FillResult {
        let handle = statement.handle
        while true {
            let measure: SQLiteRowEncoder.Measure
            if let waiting {
                measure = waiting
            } else {
                let status = sqlite3_step(handle)
                if status == SQLITE_DONE { return .last }
                guard status == SQLITE_ROW else { throw stepError(status) }
                measure = encoder.measure(handle)
                guard measure.valueBytes <= maximumRow else { throw tooLarge() }
            }
            if measure.textBound > MemberBoundary.largest, batch.rowCount > 0 || !acceptsLargeRow {
                waiting = measure
                return .largeRowNext
            }
            waiting = nil
            if try write(measure, to: batch) { return .more }
        }
    }

    /// Writes the row that was measured last; true when a member of the archive ends with it.
    @inline(__always)
    private func write(_ measure: SQLiteRowEncoder.Measure, to batch: RowBatch) throws(BackupError) -> Bool {
        let start = batch.beginRow(reserving: measure.textBound + JSONTextWriter.slack)
        let length = encoder.write(to: (batch.bytes + start).assumingMemoryBound(to: UInt8.self))
        guard start + length <= Int(UInt32.max) else { throw tooLarge() }
        batch.count = start + length
        rowsRead += 1
        return batch.endRow(startedAt: start)
    }

    // MARK: Failures

    private func stepError(_ status: Int32) -> BackupError {
        // The code for "too big" has no extended forms.
        status == SQLITE_TOOBIG ? tooLarge() : connection.error(status)
    }

    /// The row behind the ones that were read cannot be held in memory.
    private func tooLarge() -> BackupError {
        let name = access.nameRow(after: rowsRead, of: table, on: connection)
        return BackupError(
            .unsupported,
            "the row is larger than BACKUP_MAX_ROW allows (\(maximumRow) bytes); raise it, or exclude the table",
            location: [name])
    }
}
