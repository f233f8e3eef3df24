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
    /// Rows that were read, some of them written.
    @exclusivity(unchecked) private var chunk: PostgreSQLCopyChunk?
    /// Whether a connection's statement is over: no rows come behind those of the chunk.
    private var isRead = false

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
        guard case .parts(let reader, let stop) = origin else { return }
        // Where not all was read, the threads still wait for the server.
        if !isOver { stop() }
        reader.stop()
    }

    /// The next row, which stays the next one until the chunk is told to step over it; nil behind the last one.
    @inline(__always)
    private func nextRow() throws(BackupError) -> PostgreSQLCopyRow? {
        while true {
            if let row = try chunk?.next() { return row }
            guard try nextChunk() else { return nil }
        }
    }

    @inline(never)
    private func nextChunk() throws(BackupError) -> Bool {
        switch origin {
        case .parts(let reader, _):
            chunk = try reader.next(used: chunk)
            return chunk != nil
        case .connection(let connection, _):
            if isRead { return false }
            // One that a large row made grow is not kept.
            let next = if let chunk, chunk.isOrdinary { chunk } else { try PostgreSQLCopyChunk() }
            chunk = next
            isRead = try !next.fill(from: connection)
            return true
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
        while let row = try nextRow() {
            guard let ends = try write(row, to: batch, acceptsLargeRow) else { return .largeRowNext }
            chunk?.advance(over: row)
            if ends { return .more }
        }
        isOver = true
        return .last
    }

    /// Whether a member of the archive ends with the row; nil where the row wants a batch of its own.
    @inline(__always)
    private func write(
        _ row: PostgreSQLCopyRow, to batch: RowBatch, _ acceptsLargeRow: Bool
    ) throws(BackupError) -> Bool? {
        guard row.count <= maximumRow else { throw tooLarge(row) }
        let bound = encoder.bound(row.bytes, row.count)
        if bound > MemberBoundary.largest, batch.rowCount > 0 || !acceptsLargeRow { return nil }
        let start = batch.beginRow(reserving: bound + JSONTextWriter.slack)
        let length = encoder.write(
            row.bytes, row.count, to: (batch.bytes + start).assumingMemoryBound(to: UInt8.self))
        guard length >= 0 else {
            throw BackupError(
                .internal, "the server's COPY gave a row that is not one of this table; please report this")
        }
        guard start + length <= Int(UInt32.max) else { throw tooLarge(row) }
        batch.count = start + length
        return batch.endRow(startedAt: start)
    }

    private func tooLarge(_ row: PostgreSQLCopyRow) -> BackupError {
        let first = (0..<min(row.count, 60)).map { row.bytes[$0] }.prefix { $0 >= 0x20 }
        let value = String(decoding: first, as: UTF8.self)
        return BackupError(
            .unsupported,
            "the row is larger than BACKUP_MAX_ROW allows (\(row.count) of \(maximumRow) bytes); raise it, or exclude "
                + "the table", location: [firstColumn.map { "row with \($0) \(value)" } ?? "a row"])
    }
}
