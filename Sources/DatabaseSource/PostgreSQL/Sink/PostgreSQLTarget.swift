package import BackupCore
internal import CLibpq

/// Restores into a PostgreSQL database (`docs/restore.md`), all or nothing: into an empty one with everything that the
/// archive holds, or into the tables of one that has them. One transaction does it, or with several connections a
/// scratch database that takes the target's place.
package final class PostgreSQLTarget: RestoreTarget {
    private let address: PostgreSQLAddress
    private var connection: PostgreSQLConnection?
    private var restoration: PostgreSQLRestoration?
    private var scratch: PostgreSQLScratchDatabase?
    private var workers: PostgreSQLWorkers?
    private var isOver = false

    package init(_ address: PostgreSQLAddress) { self.address = address }

    deinit { rollback() }

    package func prepare(_ contents: ArchiveContents, options: RestoreOptions) throws {
        guard connection == nil, !isOver else { throw BackupError(.internal, "a restore target was prepared twice") }
        let connection = try PostgreSQLConnection(
            address, for: .target, timeouts: options.timeouts, isCancelled: options.isCancelled)
        self.connection = connection
        do {
            guard !connection.isStandby else {
                throw BackupError(
                    .target, "\(address.redacted) is a standby, which takes no changes; restore into its primary")
            }
            let leftovers = PostgreSQLLeftovers(connection: connection, installation: options.installation)
            var warnings = try leftovers.remove()
            let plan = try PostgreSQLRestorePlan(contents, options, on: connection)
            if options.jobs > 1, !plan.isWhole {
                warnings.append("one connection restores into tables that are there: --jobs is for empty databases")
            }
            let restoration =
                options.jobs > 1 && plan.isWhole
                ? try overSeveral(plan, connection) : PostgreSQLRestoration(plan, on: connection, way: .transaction)
            restoration.warnings = warnings
            self.restoration = restoration
            try restoration.begin()
        } catch {
            rollback()
            throw error
        }
    }

    private func overSeveral(
        _ plan: PostgreSQLRestorePlan, _ connection: PostgreSQLConnection
    ) throws(BackupError) -> PostgreSQLRestoration {
        // Closed there: a database in use cannot be copied.
        self.connection = nil
        let scratch = try PostgreSQLScratchDatabase(replacing: connection, options: plan.options)
        self.scratch = scratch
        let coordinator = try scratch.connect()
        self.connection = coordinator
        let workers = try PostgreSQLWorkers(count: plan.options.jobs) { isStopped throws(BackupError) in
            try scratch.connect(isStopped: isStopped)
        }
        self.workers = workers
        return PostgreSQLRestoration(plan, on: coordinator, way: .scratch(workers))
    }

    package var tablesToLoad: Set<ExactName>? { restoration?.plan.tablesToLoad }
    package var needsSurvey: Bool { false }
    package func endSurvey() throws {}

    private func current() throws(BackupError) -> PostgreSQLRestoration {
        guard let restoration else { throw BackupError(.internal, "a restore target was used before it was prepared") }
        return restoration
    }

    package func loader(forTable name: String, description: TableDescription?) throws -> any TableLoader {
        try current().loader(forTable: name, description: description)
    }

    package func finishLoading() throws -> LoadReport { try current().finishLoading() }

    package func proof() throws -> any DatabaseSnapshot { try current().proof() }

    @discardableResult
    package func commit() throws -> [String] {
        guard let connection else { throw BackupError(.internal, "a restore target was used before it was prepared") }
        if let scratch {
            let plan = try current().plan
            close()
            let warnings = try scratch.takePlace(plan)
            self.scratch = nil
            isOver = true
            return warnings
        }
        do throws(BackupError) {
            // A transaction that has failed answers COMMIT with ROLLBACK.
            guard PQtransactionStatus(connection.handle) == PQTRANS_INTRANS else {
                throw BackupError(.target, "the transaction of the restore has failed; nothing was changed")
            }
            try connection.execute("COMMIT")
        } catch {
            guard PQstatus(connection.handle) != CONNECTION_OK else { throw error }
            throw BackupError(
                error.code,
                "the connection was lost while the restore was committed: it is complete or it left nothing; look at "
                    + "the target. \(error.message)")
        }
        isOver = true
        close()
        return []
    }

    package func rollback() {
        isOver = true
        close()
        scratch?.drop()
        scratch = nil
    }

    /// Ends all connections to the database that is filled, and what goes on over them.
    private func close() {
        workers?.stop()
        workers = nil
        restoration = nil
        guard let connection else { return }
        self.connection = nil
        let status = PQtransactionStatus(connection.handle)
        // In the midst of a COPY the connection is closed, and the server rolls back by itself.
        if status == PQTRANS_INTRANS || status == PQTRANS_INERROR { try? connection.execute("ROLLBACK") }
        connection.close()
    }
}
