internal import BackupCore

/// Reads one table, row after row, in the order in which COPY gives them.
final class PostgreSQLTableReader: TableReader {
    private let name: String
    private let connection: PostgreSQLConnection
    private let encoder: CopyTextEncoder
    private let firstColumn: String?
    private let maximumRow: Int
    private var isOver = false
    /// A large row that was read but not written: it waits for an empty batch.
    private var waiting: PostgreSQLCopyRow?

    /// - Parameter copy: the `COPY … TO STDOUT` whose columns are those of `columns`.
    init(
        table: String, columns: [PostgreSQLColumn], secrets: Set<String>, copy: String, maximumRow: Int,
        on connection: PostgreSQLConnection
    ) throws(BackupError) {
        name = table
        self.connection = connection
        self.maximumRow = maximumRow
        firstColumn = columns.first?.name
        let secrets = secrets.exactNames
        encoder = CopyTextEncoder(
            keys: columns.map { ($0.name, secrets.contains(ExactName($0.name)) ? .secret : $0.form) })
        do {
            try connection.beginCopyOut(copy)
        } catch {
            throw error.located("table \"\(table)\"")
        }
    }

    deinit { waiting?.free() }

    func fill(_ batch: RowBatch, acceptsLargeRow: Bool) throws(BackupError) -> FillResult {
        do {
            return isOver ? .last : try read(into: batch, acceptsLargeRow)
        } catch {
            isOver = true
            throw error.located("table \"\(name)\"")
        }
    }

    private func read(into batch: RowBatch, _ acceptsLargeRow: Bool) throws(BackupError) -> FillResult {
        while true {
            var next = waiting
            waiting = nil
            if next == nil { next = try connection.nextCopyRow() }
            guard let row = next else {
                isOver = true
                return .last
            }
            let ends: Bool?
            do throws(BackupError) {
                ends = try write(row, to: batch, acceptsLargeRow)
            } catch {
                row.free()
                throw error
            }
            guard let ends else {
                waiting = row
                return .largeRowNext
            }
            row.free()
            if ends { return .more }
        }
    }

    /// Whether a member of the archive ends with the row; nil where the row wants a batch of its own.
    @inline(__always)
    private func write(
        _ row: PostgreSQLCopyRow, to batch: RowBatch, _ acceptsLargeRow: Bool
    ) throws(BackupError) -> Bool? {
        guard row.count <= maximumRow else { throw tooLarge(row) }
        let bytes = UnsafeRawPointer(row.bytes).assumingMemoryBound(to: UInt8.self)
        let bound = encoder.bound(bytes, row.count)
        if bound > MemberBoundary.largest, batch.rowCount > 0 || !acceptsLargeRow { return nil }
        let start = batch.beginRow(reserving: bound + JSONTextWriter.slack)
        let length = encoder.write(bytes, row.count, to: (batch.bytes + start).assumingMemoryBound(to: UInt8.self))
        guard length >= 0 else {
            throw BackupError(
                .internal, "the server's COPY gave a row that is not one of this table; please report this")
        }
        guard start + length <= Int(UInt32.max) else { throw tooLarge(row) }
        batch.count = start + length
        return batch.endRow(startedAt: start)
    }

    private func tooLarge(_ row: PostgreSQLCopyRow) -> BackupError {
        let first = (0..<min(row.count, 60)).map { UInt8(bitPattern: row.bytes[$0]) }.prefix { $0 >= 0x20 }
        let value = String(decoding: first, as: UTF8.self)
        return BackupError(
            .unsupported,
            "the row is larger than BACKUP_MAX_ROW allows (\(row.count) of \(maximumRow) bytes); raise it, or exclude "
                + "the table", location: [firstColumn.map { "row with \($0) \(value)" } ?? "a row"])
    }
}
