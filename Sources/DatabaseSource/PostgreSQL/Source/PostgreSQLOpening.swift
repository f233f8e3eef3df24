internal import BackupCore

/// Reaches the moment that a backup shows: tables listed and locked, the snapshot taken, the definitions read, and
/// nothing of it changed meanwhile.
struct PostgreSQLOpening {
    let connection: PostgreSQLConnection
    let options: SnapshotOptions

    /// The tables of a database, some of them to be read, and its definitions.
    struct Listing {
        var all: [PostgreSQLTable]
        var selection: PostgreSQLSelection
        var dump: PostgreSQLSchemaDump?
        var globals = PostgreSQLGlobals()
        /// The number of the snapshot, as the server gives it to others.
        var snapshot = ""
        /// What the user should know, each a line.
        var warnings: [String] = []
    }

    /// How often it is tried to reach a moment at which nothing changes.
    private static let attempts = 10
    /// In how many of them pg_dump runs before the snapshot, and so waits for nobody who waits for the snapshot's locks.
    private static let earlyAttempts = 5

    func begin() throws(BackupError) -> Listing {
        let runner = PostgreSQLSchemaDump.Runner(connection, options)
        // Beside what follows, unless one connection is all that is allowed.
        var running = Optional(PostgreSQLGlobals.Running.start(by: runner.tool, connection, options))
        var globals: PostgreSQLGlobals?
        if options.connections == 1 { globals = try running.take()?.finish() }
        var reason = "tables come and go"
        for attempt in 0..<PostgreSQLOpening.attempts {
            let isEarly = attempt < PostgreSQLOpening.earlyAttempts
            do throws(BackupError) {
                if var listing = try attemptToBegin(runner, isEarly: isEarly) {
                    if let running = running.take() { globals = try running.finish() }
                    listing.globals = globals ?? PostgreSQLGlobals()
                    listing.warnings = warnings(listing, runner)
                    return listing
                }
            } catch {
                guard isGone(error) || !isEarly && isBlocked(error) else { throw namingBlockedTables(error) }
                reason = error.message
            }
            try connection.execute("ROLLBACK")
        }
        throw BackupError(
            .source,
            "the database's structure changes faster than it can be read (\(PostgreSQLOpening.attempts) attempts; the last "
                + "one: \(reason)); run at a quieter time")
    }

    private func listing() throws(BackupError) -> Listing {
        let reader = PostgreSQLTableListing(connection: connection)
        let all = try reader.tables()
        let hasLargeObjects = try connection.text("SELECT 1 FROM pg_largeobject_metadata LIMIT 1") != nil
        let selection = try PostgreSQLSelection(
            of: all, parents: try reader.partitions(), hasLargeObjects: hasLargeObjects,
            isStandby: connection.isStandby, options: options)
        return Listing(all: all, selection: selection)
    }

    /// Nil where the structure changed meanwhile.
    private func attemptToBegin(
        _ runner: PostgreSQLSchemaDump.Runner, isEarly: Bool
    ) throws(BackupError) -> Listing? {
        let print = isEarly ? try PostgreSQLFingerprint.text(on: connection) : ""
        let running = isEarly ? try runner.start(snapshot: nil) : nil
        let before = try listing()
        let early = if let running { try running.finish() } else { Optional<PostgreSQLSchemaDump>.none }
        // Neither BEGIN nor LOCK chooses the moment; the first query behind them does.
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try lock(before.selection.tables)
        var after = try listing()
        let locked = Set(before.selection.tables.map { "\($0.oid) \($0.name.quoted)" })
        guard after.selection.tables.allSatisfy({ locked.contains("\($0.oid) \($0.name.quoted)") }) else { return nil }
        after.snapshot = try connection.text("SELECT pg_export_snapshot()") ?? ""
        if isEarly {
            guard try PostgreSQLFingerprint.text(on: connection) == print else { return nil }
            after.dump = early
        } else {
            after.dump = try runner.take(snapshot: after.snapshot)
        }
        return after
    }

    private func lock(_ tables: [PostgreSQLTable]) throws(BackupError) {
        for start in stride(from: 0, to: tables.count, by: 200) {
            let names = tables[start..<min(start + 200, tables.count)].map { "ONLY " + $0.name.quoted }
            try connection.execute("LOCK TABLE \(names.joined(separator: ", ")) IN ACCESS SHARE MODE")
        }
    }

    private func warnings(_ listing: Listing, _ runner: PostgreSQLSchemaDump.Runner) -> [String] {
        var warnings = listing.dump?.warnings.map { "pg_dump: \($0)" } ?? []
        if listing.dump == nil {
            let version = connection.versionText
            let others = runner.otherVersions
            let found = others.isEmpty ? "" : " (those of \(others.joined(separator: ", ")) do not know it)"
            warnings.append(
                "there is no pg_dump for PostgreSQL \(version) on this machine\(found): only rows are backed up, and they "
                    + "restore only into a database that has the tables; install postgresql-client of that version")
        } else if let reason = listing.globals.reason {
            warnings.append("roles and tablespaces are not held: \(reason)")
        }
        if let names = listing.selection.unloggedOnStandby, !names.isEmpty {
            let list = names.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ") + (names.count > 5 ? ", …" : "")
            warnings.append("a standby has no rows of unlogged tables: none are backed up of \(list)")
        }
        return warnings
    }

    // MARK: Failures

    /// Whether pg_dump waited in vain: where locks are held here, for somebody who waits for these, perhaps.
    private func isBlocked(_ error: BackupError) -> Bool {
        error.message.hasPrefix("pg_dump ") && error.message.contains("timeout")
    }

    /// Whether something was dropped meanwhile.
    private func isGone(_ error: BackupError) -> Bool {
        let ofServer = ["[42P01]", "[3F000]", "[XX000]", "[42704]"]
        let ofDump = ["does not exist", "cache lookup failed", "could not open relation", "could not find"]
        return error.message.hasPrefix("pg_dump ")
            ? ofDump.contains { error.message.contains($0) } : ofServer.contains { error.message.contains($0) }
    }

    /// Neither the server nor pg_dump says which of many tables could not be locked.
    private func namingBlockedTables(_ error: BackupError) -> BackupError {
        guard error.message.contains("[55P03]") || isBlocked(error) else { return error }
        try? connection.execute("ROLLBACK")
        let query = """
            SELECT DISTINCT l.relation::regclass::text, coalesce(nullif(a.application_name, ''), 'pid ' || l.pid)
            FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1, 2
            """
        guard let result = try? connection.query(query), result.rowCount > 0 else { return error }
        let holders = (0..<min(result.rowCount, 5)).map { row in
            "\(result.value(row, 0)) (by \(result.value(row, 1)))"
        }
        var named = error
        named.message += "; locked are now: \(holders.joined(separator: ", "))"
        return named
    }
}
