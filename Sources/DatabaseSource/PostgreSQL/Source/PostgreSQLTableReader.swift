internal import BackupCore

/// Reads one table, row after row, in the order in which COPY gives them.
final class PostgreSQLTableReader: TableReader {
    private let name: String
    /// Where the rows come from.
    enum Origin {
        case connection(PostgreSQLConnection, copy: String)
        case parts(PostgreSQLRangeReader, stop: () -> Void)
    }

    private let origin: Origin
    private let encoder: CopyTextEncoder
    private let firstColumn: String?
    private let maximumRow: Int
    private var isOver = false
    private var hasFailed = false
    /// A large row that was read but not written: it waits for an empty batch.
    @exclusivity(unchecked) private var waiting: PostgreSQLCopyRow?

    /// - Parameter origin: whose rows have the columns `columns`.
    init(
        table: String, columns: [PostgreSQLColumn], secrets: Set<String>, maximumRow: Int, origin: Origin
    ) throws(BackupError) {
        name = table
        self.origin = origin
        self.maximumRow = maximumRow
        firstColumn = columns.first?.name
        let secrets = secrets.exactNames
        encoder = CopyTextEncoder(
            keys: columns.map { ($0.name, secrets.contains(ExactName($0.name)) ? .secret : $0.form) })
        guard case .connection(let connection, let copy) = origin else { return }
        do {
            try connection.beginCopyOut(copy)
        } catch {
            throw error.located("table \"\(table)\"")
        }
    }

    deinit {
        waiting?.free()
        guard case .parts(let reader, let stop) = origin else { return }
        // Where not all was read, the threads still wait for the server.
        if !isOver { stop() }
        reader.stop()
    }

    @inline(__always)
    private func nextRow() throws(BackupError) -> PostgreSQLCopyRow? {
        switch origin {
        case .connection(let connection, _): try connection.nextCopyRow()
        case .parts(let reader, _): try reader.next()
        }
    }

    func fill(_ batch: RowBatch, acceptsLargeRow: Bool) throws(BackupError) -> FillResult {
        do {
            return isOver || hasFailed ? .last : try read(into: batch, acceptsLargeRow)
        } catch {
            hasFailed = true
            throw error.located("table \"\(name)\"")
        }
    }

    private func read(into batch: RowBatch, _ acceptsLargeRow: Bool) throws(BackupError) -> FillResult {
        while true {
            var next = waiting
            waiting = nil
            if next == nil { next = try nextRow() }
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
