package import BackupCore
internal import CLibpq

/// Restores into a PostgreSQL database (`docs/restore.md`), in one transaction: into an empty one with everything that
/// the archive holds, or into the tables of one that has them.
package final class PostgreSQLTarget: RestoreTarget {
    private let address: PostgreSQLAddress
    private var connection: PostgreSQLConnection?
    private var restoration: PostgreSQLRestoration?
    private var isOver = false

    package init(_ address: PostgreSQLAddress) { self.address = address }

    deinit { rollback() }

    package func prepare(_ contents: ArchiveContents, options: RestoreOptions) throws {
        guard connection == nil, !isOver else { throw BackupError(.internal, "a restore target was prepared twice") }
        guard !options.regenerateIDs else {
            throw BackupError(
                .usage,
                "--regenerate-ids is not there for PostgreSQL yet; restore into an empty database, or use "
                    + "--clear-existing")
        }
        let connection = try PostgreSQLConnection(
            address, for: .target, timeouts: options.timeouts, isCancelled: options.isCancelled)
        self.connection = connection
        do {
            guard !connection.isStandby else {
                throw BackupError(
                    .target, "\(address.redacted) is a standby, which takes no changes; restore into its primary")
            }
            let restoration = try PostgreSQLRestoration(contents, options, on: connection)
            self.restoration = restoration
            try restoration.begin()
        } catch {
            rollback()
            throw error
        }
    }

    package var tablesToLoad: Set<ExactName>? { restoration?.tablesToLoad }
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

    package func commit() throws {
        guard let connection else { throw BackupError(.internal, "a restore target was used before it was prepared") }
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
        restoration = nil
        connection.close()
    }

    package func rollback() {
        isOver = true
        restoration = nil
        guard let connection else { return }
        self.connection = nil
        let status = PQtransactionStatus(connection.handle)
        // In the midst of a COPY the connection is closed, and the server rolls back by itself.
        if status == PQTRANS_INTRANS || status == PQTRANS_INERROR { try? connection.execute("ROLLBACK") }
        connection.close()
    }
}
