internal import BackupCore

/// Finds databases that restores with several connections left behind when they were killed, and drops those that are
/// surely ours and dead: they carry this installation's mark, and no session of the server holds their number.
struct PostgreSQLLeftovers {
    let connection: PostgreSQLConnection
    let installation: String

    /// - Returns: what the user should know, each a line.
    func remove() throws(BackupError) -> [String] {
        let list = try connection.query(
            """
            SELECT datname, datconnlimit = -2 FROM pg_database
            WHERE datname LIKE 'elder\\_backup\\_%' AND datname <> current_database() ORDER BY 1
            """)
        var warnings: [String] = []
        for row in 0..<list.rowCount {
            let database = list.value(row, 0)
            guard let name = PostgreSQLScratchName(database), try connection.text("SELECT \(name.isHeld)") == "f"
            else { continue }
            // So the server marks a database that it was dropping when it was killed: nobody can connect to it.
            warnings.append(handle(name, database, isHalfDropped: list.flag(row, 1)))
        }
        return warnings
    }

    private func handle(_ name: PostgreSQLScratchName, _ database: String, isHalfDropped: Bool) -> String {
        let what = "the database \"\(database)\", left by a restore that did not end"
        guard name.installation == PostgreSQLScratchName.mark(of: installation) else {
            return "\(what), was made by another installation: drop it when you know that it is not needed"
        }
        do throws(BackupError) {
            let isCertain = name.kind == .restoring || isHalfDropped
            guard try isCertain ? true : isEmpty(database) else {
                return "\(what), holds tables that somebody made meanwhile: look at them, and drop it"
            }
            try PostgreSQLLeftovers.drop(database, over: connection)
            return "\(what), was dropped"
        } catch {
            return "\(what), could not be dropped: \(error.message)"
        }
    }

    private func isEmpty(_ database: String) throws(BackupError) -> Bool {
        let other = try PostgreSQLConnection(
            connection.address, for: .target, timeouts: PostgreSQLTimeouts(lock: .seconds(5)), database: database,
            login: connection)
        defer { other.close() }
        return try other.text(PostgreSQLRestorePlan.anyRelation) == nil
    }

    /// Drops a database of ours, with the sessions that a killed process may have left in it.
    static func drop(_ database: String, over connection: PostgreSQLConnection) throws(BackupError) {
        let name = PostgreSQLName.quote(database)
        if connection.serverVersion >= 130_000 {
            return try connection.execute("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        }
        try connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(PostgreSQLName.literal(database))"
        )
        try connection.execute("DROP DATABASE IF EXISTS \(name)")
    }
}
