internal import BackupCore
internal import Synchronization

/// Connections that see the same snapshot as the one that took it.
///
/// They never wait for a lock: somebody who waits for the snapshot's own locks may stand in between, and nobody would
/// ever get on. A table that they cannot lock at once is read by the connection that has it locked.
final class PostgreSQLHelpers {
    private let address: PostgreSQLAddress
    private let snapshot: String
    private let count: Int
    private let timeouts: PostgreSQLTimeouts
    private let isCancelled: @Sendable () -> Bool
    private let flag = StopFlag()
    private var connections: [PostgreSQLConnection]?
    /// What the user should know, each a line.
    private(set) var warnings: [String] = []

    private final class StopFlag: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    /// - Parameter count: how many connections, opened when the first table asks for them.
    init(_ address: PostgreSQLAddress, snapshot: String, count: Int, options: SnapshotOptions) {
        self.address = address
        self.snapshot = snapshot
        self.count = count
        timeouts = options.timeouts
        isCancelled = options.isCancelled
    }

    deinit { close() }

    /// The connections, each with the table locked; none where that cannot be.
    func connections(locking table: PostgreSQLName) -> [PostgreSQLConnection] {
        guard count > 1, !flag.isSet.load(ordering: .relaxed) else { return [] }
        if connections == nil { connections = open() }
        let ready = connections ?? []
        for connection in ready {
            do throws(BackupError) {
                // A lock that is refused must not end the transaction that sees the snapshot.
                try connection.execute("SAVEPOINT lock_table")
                do throws(BackupError) {
                    try connection.execute("LOCK TABLE ONLY \(table.quoted) IN ACCESS SHARE MODE NOWAIT")
                } catch {
                    try connection.execute("ROLLBACK TO SAVEPOINT lock_table")
                    return []
                }
                try connection.execute("RELEASE SAVEPOINT lock_table")
            } catch {
                giveUp(error)
                return []
            }
        }
        return ready
    }

    private func open() -> [PostgreSQLConnection] {
        var opened: [PostgreSQLConnection] = []
        let isCancelled = isCancelled
        let flag = flag
        do throws(BackupError) {
            for _ in 0..<count {
                let connection = try PostgreSQLConnection(
                    address, for: .source, timeouts: timeouts,
                    isCancelled: { isCancelled() || flag.isSet.load(ordering: .relaxed) })
                opened.append(connection)
                try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                try connection.execute("SET TRANSACTION SNAPSHOT \(PostgreSQLName.literal(snapshot))")
            }
            return opened
        } catch {
            giveUp(error)
            return []
        }
    }

    /// One connection does the work as well, only slower.
    private func giveUp(_ error: BackupError) {
        connections = []
        warnings.append("large tables are read over one connection: \(error.message)")
    }

    /// Ends what the connections do; whoever uses them must be waited for before ``close()``.
    func stop() { flag.isSet.store(true, ordering: .relaxed) }

    func close() {
        for connection in connections ?? [] { connection.close() }
        connections = nil
        stop()
    }
}
