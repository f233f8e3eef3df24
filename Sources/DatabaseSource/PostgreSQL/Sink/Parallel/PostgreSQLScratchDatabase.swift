internal import BackupCore
internal import CLibpq

/// A copy of an empty database, which is filled and takes its place at the end. Until then nothing of it can be seen
/// where the restored data will be, and whatever happens, the target is empty or complete.
final class PostgreSQLScratchDatabase {
    /// The database that is replaced.
    let target: String
    private let address: PostgreSQLAddress
    private let options: RestoreOptions
    private let scratch: PostgreSQLScratchName
    private let replaced: PostgreSQLScratchName
    /// Connected to neither of the two. It holds the lock that says that this restore lives.
    private let maintenance: PostgreSQLConnection
    /// What the catalogs of the target were like before it was copied.
    private let mark: String
    private var isThere = false

    private static let advice = "leave out --jobs, and one connection restores in one transaction"

    /// Makes the database.
    ///
    /// - Parameter connection: to the target; it is closed, because a database in use cannot be copied.
    init(replacing connection: PostgreSQLConnection, options: RestoreOptions) throws(BackupError) {
        self.options = options
        address = connection.address
        target = connection.databaseName
        let key = Int64.random(in: .min ... .max)
        scratch = PostgreSQLScratchName(.restoring, installation: options.installation, key: key)
        replaced = PostgreSQLScratchName(.replaced, installation: options.installation, key: key)
        try PostgreSQLScratchDatabase.checkRights(connection)
        mark = try PostgreSQLCatalogMark.text(on: connection)
        maintenance = try PostgreSQLScratchDatabase.openMaintenance(connection, options)
        try maintenance.execute("SELECT pg_advisory_lock(\(key))")
        connection.close()
        do throws(BackupError) {
            try make()
            try rehearse()
        } catch {
            drop()
            throw error
        }
    }

    // MARK: Whether it can be

    private static func checkRights(_ connection: PostgreSQLConnection) throws(BackupError) {
        let database = PostgreSQLName.quote(connection.databaseName)
        let user = PostgreSQLName.quote(connection.userName)
        let rights = try connection.query(
            """
            SELECT r.rolsuper OR r.rolcreatedb, pg_has_role(d.datdba, 'USAGE'), pg_get_userbyid(d.datdba),
                concat_ws(', ', (SELECT string_agg('slot ' || slot_name, ', ') FROM pg_replication_slots
                    WHERE database = d.datname),
                (SELECT string_agg('subscription ' || subname, ', ') FROM pg_subscription WHERE subdbid = d.oid))
            FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user
            """)
        guard rights.rowCount == 1 else { return }
        var missing: [String] = []
        if !rights.flag(0, 0) { missing.append("the right to create databases (ALTER ROLE \(user) CREATEDB)") }
        if !rights.flag(0, 1) {
            missing.append("the ownership of the target (ALTER DATABASE \(database) OWNER TO \(user))")
        }
        guard missing.isEmpty else {
            throw BackupError(
                .target,
                "with --jobs a new database takes the place of \(database), and the role \(user) lacks for that "
                    + "\(missing.joined(separator: " and ")); grant it, or \(advice)")
        }
        let replication = rights.value(0, 3)
        guard replication.isEmpty else {
            throw BackupError(
                .target,
                "with --jobs a new database takes the place of \(database), and what replicates the old one would go "
                    + "with it (\(replication)); drop that, or \(advice)")
        }
    }

    private static func openMaintenance(
        _ connection: PostgreSQLConnection, _ options: RestoreOptions
    ) throws(BackupError) -> PostgreSQLConnection {
        var reasons: [String] = []
        for name in ["postgres", "template1"] where name != connection.databaseName {
            do throws(BackupError) {
                // It is not interrupted: what it does is short, and must be done to the end.
                return try PostgreSQLConnection(
                    connection.address, for: .target, timeouts: options.timeouts, database: name,
                    login: connection)
            } catch {
                reasons.append("\(name): \(error.message)")
            }
        }
        throw BackupError(
            .target,
            "with --jobs a connection to another database of the server is needed, and there is none "
                + "(\(reasons.joined(separator: "; "))); \(advice)")
    }

    // MARK: Making it

    private func make() throws(BackupError) {
        do throws(BackupError) {
            try maintenance.execute(
                "CREATE DATABASE \(PostgreSQLName.quote(scratch.text)) TEMPLATE \(PostgreSQLName.quote(target))")
        } catch {
            throw try explained(error)
        }
        isThere = true
        try maintenance.execute(
            "COMMENT ON DATABASE \(PostgreSQLName.quote(scratch.text)) IS "
                + PostgreSQLName.literal("elder-backup fills it; then it takes the place of \"\(target)\""))
    }

    /// Whatever would stop the exchange at the end is found before any row is loaded.
    private func rehearse() throws(BackupError) {
        do throws(BackupError) {
            try maintenance.execute("BEGIN READ WRITE")
            try exchange()
            try maintenance.execute("ROLLBACK")
        } catch {
            try? maintenance.execute("ROLLBACK")
            throw try explained(error)
        }
    }

    private func exchange() throws(BackupError) {
        try PostgreSQLDatabaseProperties(connection: maintenance).copy(from: target, to: scratch.text)
        let name = PostgreSQLName.quote(target)
        try maintenance.execute("ALTER DATABASE \(name) RENAME TO \(PostgreSQLName.quote(replaced.text))")
        try maintenance.execute("ALTER DATABASE \(PostgreSQLName.quote(scratch.text)) RENAME TO \(name)")
    }

    /// An error of making or renaming, with who is in the way.
    private func explained(_ error: BackupError) throws(BackupError) -> BackupError {
        guard error.message.contains("[55006]") else {
            return BackupError(error.code, "\(error.message); \(PostgreSQLScratchDatabase.advice)")
        }
        let sessions = try maintenance.query(
            """
            SELECT DISTINCT coalesce(usename, '?') || ' (' || concat_ws(', ', nullif(application_name, ''),
                host(client_addr), 'process ' || pid) || ')'
            FROM pg_stat_activity WHERE datname IN (\(PostgreSQLName.literal(target)),
                \(PostgreSQLName.literal(scratch.text))) ORDER BY 1
            """)
        let names = (0..<sessions.rowCount).map { sessions.value($0, 0) }
        let list = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
        return BackupError(
            .target,
            "with --jobs a new database takes the place of \"\(target)\", and others are connected to it"
                + "\(names.isEmpty ? "" : ": \(list)"); disconnect them, or \(PostgreSQLScratchDatabase.advice)")
    }

    /// Connects to it.
    func connect(isStopped: @escaping @Sendable () -> Bool = { false }) throws(BackupError) -> PostgreSQLConnection {
        let isCancelled = options.isCancelled
        let connection = try PostgreSQLConnection(
            address, for: .target, timeouts: options.timeouts, database: scratch.text, login: maintenance,
            isCancelled: { isCancelled() || isStopped() })
        // Nobody needs a part of it: what is committed at the end makes all of it durable.
        try connection.execute("SET synchronous_commit = off")
        return connection
    }

    // MARK: The end

    /// Lets it take the target's place. Nobody may be connected to it.
    ///
    /// - Parameter plan: of the restore that has filled it.
    /// - Returns: what the user should know, each a line.
    func takePlace(_ plan: PostgreSQLRestorePlan) throws(BackupError) -> [String] {
        try checkUnchanged()
        var warnings: [String] = []
        do throws(BackupError) {
            try maintenance.execute("BEGIN READ WRITE")
            try exchange()
            if let database = plan.definitions?.database {
                warnings += try plan.databaseSettings(on: maintenance).apply(database, to: target)
            }
        } catch {
            guard PQstatus(maintenance.handle) == CONNECTION_OK else { throw error }
            try? maintenance.execute("ROLLBACK")
            throw try explained(error)
        }
        try commit()
        isThere = false
        defer { maintenance.close() }
        return warnings + dropReplaced()
    }

    private func commit() throws(BackupError) {
        do throws(BackupError) {
            try maintenance.execute("COMMIT")
        } catch {
            guard PQstatus(maintenance.handle) != CONNECTION_OK else { throw error }
            throw BackupError(
                error.code,
                "the connection was lost while the restored database took its place: the target is complete or as it "
                    + "was; look at it. \(error.message)")
        }
    }

    private func checkUnchanged() throws(BackupError) {
        let connection = try connectPlainly(target)
        defer { connection.close() }
        guard try PostgreSQLCatalogMark.text(on: connection) == mark else {
            throw BackupError(
                .target,
                "somebody changed \"\(target)\" while the restore went on; it is left as it is. See what it holds, "
                    + "and restore into an empty database")
        }
    }

    private func connectPlainly(_ database: String) throws(BackupError) -> PostgreSQLConnection {
        try PostgreSQLConnection(
            address, for: .target, timeouts: options.timeouts, database: database, login: maintenance)
    }

    private func dropReplaced() -> [String] {
        let name = PostgreSQLName.quote(replaced.text)
        do throws(BackupError) {
            let connection = try connectPlainly(replaced.text)
            let isEmpty = try PostgreSQLCatalogMark.text(on: connection) == mark
            connection.close()
            guard isEmpty else {
                return [
                    "somebody changed \"\(target)\" at the last moment: what it held is now in the database \(name); "
                        + "the restored one is complete"
                ]
            }
            try maintenance.execute("DROP DATABASE \(name)")
            return []
        } catch {
            return [
                "the empty database that \"\(target)\" was before is left as \(name); drop it (\(error.message))"
            ]
        }
    }

    /// Drops it where it is still there: the target is as it was.
    func drop() {
        defer { maintenance.close() }
        guard isThere else { return }
        isThere = false
        guard (try? PostgreSQLLeftovers.drop(scratch.text, over: maintenance)) == nil else { return }
        // The server was away, perhaps: one more attempt. What is left the next restore finds.
        guard let connection = try? connectPlainly(maintenance.databaseName) else { return }
        try? PostgreSQLLeftovers.drop(scratch.text, over: connection)
        connection.close()
    }
}
