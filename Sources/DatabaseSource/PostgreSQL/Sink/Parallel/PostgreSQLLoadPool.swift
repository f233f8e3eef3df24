internal import BackupCore
internal import Synchronization

/// Spreads rows over several connections: a batch goes to whichever is free, whatever its table. Only a table's
/// beginning goes over one alone, so that small tables keep the order of their rows.
final class PostgreSQLLoadPool: PostgreSQLRowSink {
    private let workers: PostgreSQLWorkers
    /// Buffers that nobody uses.
    private let spare = SpareBuffers()
    private weak var current: PostgreSQLTableLoader?
    /// Bytes of the current table's rows so far, and the worker that takes its beginning.
    private var count = 0
    private var first = 0

    /// How much of a table goes over one connection, in bytes of COPY's text.
    private static let beginning = 4 << 20

    private final class SpareBuffers: Sendable {
        private let buffers = Mutex<[PostgreSQLDecodedRows]>([])

        func take() -> PostgreSQLDecodedRows { buffers.withLock { $0.popLast() } ?? PostgreSQLDecodedRows() }

        func give(_ rows: PostgreSQLDecodedRows) {
            rows.reset()
            buffers.withLock { $0.append(rows) }
        }
    }

    init(_ workers: PostgreSQLWorkers) { self.workers = workers }

    func put(_ rows: PostgreSQLDecodedRows, for loader: PostgreSQLTableLoader) throws(BackupError) {
        if current !== loader {
            current = loader
            count = 0
            first = workers.leastBusy
        }
        count += rows.count
        let own = spare.take()
        own.exchange(with: rows)
        let isLarge = own.isLarge
        let spare = spare
        // One batch waits, so that no connection does.
        try workers.add(
            PostgreSQLWorkers.Task(worker: count <= PostgreSQLLoadPool.beginning ? first : nil) {
                worker throws(BackupError) in
                defer { spare.give(own) }
                try worker.rows.put(own, for: loader)
            }, limit: workers.count)
        // A row that fills memory is gone before the next one is decoded.
        if isLarge { try workers.finish() }
    }

    func finish() throws(BackupError) {
        try workers.each { worker throws(BackupError) in try worker.rows.finish() }
    }
}
