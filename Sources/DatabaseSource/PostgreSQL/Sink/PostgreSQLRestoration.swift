internal import BackupCore

/// One restore into a PostgreSQL database, up to just before its commit.
final class PostgreSQLRestoration {
    /// How what fails is taken back.
    enum Way {
        /// All in one transaction on one connection.
        case transaction
        /// In a database that nobody else uses, over several connections.
        case scratch(PostgreSQLWorkers)
    }

    let plan: PostgreSQLRestorePlan
    let connection: PostgreSQLConnection
    let way: Way
    /// Takes the rows of tables.
    let sink: any PostgreSQLRowSink
    /// Takes the pieces of large objects, and where there is one connection, all rows.
    let session: PostgreSQLCopySession
    /// What must be put back before the end, where tables were there before.
    private var existing: PostgreSQLExistingTables?
    /// Takes the place of tables that were there before, in a dry run.
    private(set) var rehearsal: PostgreSQLRehearsal?
    private(set) var newIDs: PostgreSQLNewIDs?
    /// The target's tables.
    var targets: [PostgreSQLName: PostgreSQLTable] = [:]
    var loaders: [PostgreSQLTableLoader] = []
    var warnings: [String] = []

    init(_ plan: PostgreSQLRestorePlan, on connection: PostgreSQLConnection, way: Way) {
        self.plan = plan
        self.connection = connection
        self.way = way
        session = PostgreSQLCopySession(connection)
        switch way {
        case .transaction: sink = session
        case .scratch(let workers): sink = PostgreSQLLoadPool(workers)
        }
    }

    private var isTransaction: Bool {
        if case .transaction = way { true } else { false }
    }

    // MARK: Before the rows

    func begin() throws(BackupError) {
        if isTransaction { try connection.execute("BEGIN READ WRITE") }
        if plan.isWhole, let preData = plan.definitions?.preData {
            try checkRoles()
            if isTransaction { try checkRoom() }
            try plan.replay(on: connection).run(preData)
            if plan.options.tables != nil {
                warnings.append("all definitions are restored, and the rows of the chosen tables only")
            }
        }
        targets = Dictionary(
            try PostgreSQLTableListing(connection: connection).tables().map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first })
        try checkTables()
        if !plan.isWhole { try prepareTables() }
        try prepareLargeObjects()
    }

    /// One transaction makes everything, and holds a lock on each part of it.
    private func checkRoom() throws(BackupError) {
        guard let definitions = plan.definitions else { return }
        let need = PostgreSQLLockNeed.estimate(
            [definitions.preData ?? "", definitions.postData ?? ""], tables: plan.contents.schema?.tables ?? [])
        let objects = plan.restoresLargeObjects && !plan.options.skipsOwners ? definitions.largeObjects : []
        let owned = objects.count { $0.owner != connection.userName || $0.comment != nil }
        try PostgreSQLLockRoom(on: connection).check(
            need + owned, otherwise: "restore with --jobs 2, which holds few of them at a time")
    }

    private func checkRoles() throws(BackupError) {
        var roles = PostgreSQLNeededRoles()
        roles.add(script: plan.definitions?.preData ?? "")
        roles.add(script: plan.definitions?.postData ?? "")
        if plan.restoresLargeObjects, let objects = plan.definitions?.largeObjects {
            for object in objects {
                roles.add(owner: object.owner)
                for grant in object.grants ?? [] { roles.add(owner: grant.role) }
            }
        }
        try roles.check(on: connection, skipsOwners: plan.options.skipsOwners)
    }

    /// Makes tables that are there ready for rows.
    private func prepareTables() throws(BackupError) {
        let chosen = chosenTargets()
        let existing = PostgreSQLExistingTables(chosen, clears: plan.options.clearExisting, on: connection)
        try PostgreSQLLockRoom(on: connection).check(
            try existing.lockNeed(), otherwise: "restore some tables at a time with --tables")
        // Where the archive does not say which tables it has rows of, they show as they come.
        let mayHoldRows = plan.contents.schema == nil || plan.options.regenerateIDs
        if plan.options.dryRun, try PostgreSQLRehearsal.isPossible(on: connection) {
            try existing.check(mayHoldRows: mayHoldRows)
            rehearsal = PostgreSQLRehearsal(keepsRows: !plan.options.clearExisting && mayHoldRows, on: connection)
        } else {
            if plan.options.dryRun { try limitDryRun() }
            try existing.begin(mayHoldRows: mayHoldRows)
            self.existing = existing
        }
        if plan.options.regenerateIDs {
            newIDs = try PostgreSQLNewIDs(among: Array(targets.values), on: connection)
            warnings.append("new ids: references that are not declared as foreign keys are not rewritten")
        }
    }

    /// How long a statement may keep others waiting, in seconds.
    private static let longestStatement = 300

    private func limitDryRun() throws(BackupError) {
        let longest = Duration.seconds(PostgreSQLRestoration.longestStatement)
        if plan.options.statementTimeout ?? longest >= longest {
            try connection.execute("SET LOCAL statement_timeout = '\(PostgreSQLRestoration.longestStatement)s'")
        }
        let grant =
            "GRANT TEMPORARY ON DATABASE \(PostgreSQLName.quote(connection.databaseName)) TO "
            + PostgreSQLName.quote(connection.userName)
        connection.timeoutAdvice = "a dry run without temporary tables may not take longer: \(grant)"
        warnings.append(
            "the role may not make temporary tables: the dry run locked the tables themselves and then took "
                + "everything back; to spare those who use them: \(grant)")
    }

    private func checkTables() throws(BackupError) {
        var faults: [String] = []
        for description in plan.wantedDescriptions {
            guard let table = targets[PostgreSQLName(archiveKey: description.name)] else {
                faults.append("it has no table \"\(description.name)\"")
                continue
            }
            let missing = description.columns.map(\.name).filter { name in
                !table.columns.contains { $0.name.isExactly(name) }
            }
            if !missing.isEmpty {
                let names = missing.map { "\"\($0)\"" }.joined(separator: ", ")
                let columns = missing.count == 1 ? "column" : "columns"
                faults.append("its table \"\(description.name)\" lacks the \(columns) \(names)")
            }
        }
        guard faults.isEmpty else {
            throw BackupError(
                .target,
                "\(connection.address.redacted) cannot take the archive's rows: \(faults.joined(separator: "; "))")
        }
    }

    /// The target's tables that get rows; all that there are where the archive does not say.
    private func chosenTargets() -> [PostgreSQLTable] {
        if plan.contents.schema != nil {
            return plan.wantedDescriptions.compactMap { targets[PostgreSQLName(archiveKey: $0.name)] }
        }
        return targets.values.filter { plan.isWanted($0.name.archiveKey) }.sorted { $0.name < $1.name }
    }

    private func prepareLargeObjects() throws(BackupError) {
        guard plan.restoresLargeObjects, let objects = plan.definitions?.largeObjects else { return }
        let loader = PostgreSQLLargeObjectLoader(connection: connection)
        // Their pieces wait in a table that goes with the transaction.
        if !isTransaction { try connection.execute("BEGIN") }
        try loader.prepare()
        try loader.check(objects, replacing: plan.options.clearExisting)
        if rehearsal == nil { try loader.create(objects) }
    }

    // MARK: Behind the rows

    func finishLoading() throws(BackupError) -> LoadReport {
        try sink.finish()
        try session.finish()
        try finishLargeObjects()
        try newIDs?.insert()
        if plan.isWhole {
            try PostgreSQLSequences(connection: connection).restore(plan.definitions?.sequences ?? [])
            if let postData = plan.definitions?.postData { try runPostData(postData) }
            try refresh(plan.definitions?.materializedViews ?? [])
            try restoreSettings()
        } else if let rehearsal {
            try rehearsal.check()
        } else {
            try finishTables()
        }
        return LoadReport(warnings: warnings)
    }

    /// Of the database itself. What takes the target's place gets them there.
    private func restoreSettings() throws(BackupError) {
        guard let database = plan.definitions?.database else { return }
        let settings = plan.databaseSettings(on: connection)
        warnings += try settings.differences(database, encoding: plan.definitions?.encoding ?? "")
        if isTransaction { warnings += try settings.apply(database, to: connection.databaseName) }
    }

    private func finishTables() throws(BackupError) {
        try existing?.checkConstraints()
        let sequences = PostgreSQLSequences(connection: connection)
        if let definitions = plan.definitions, plan.options.tables == nil, newIDs == nil {
            warnings += try sequences.restoreThoseThere(definitions.sequences)
        } else {
            try sequences.advance(chosenTargets())
        }
        try existing?.putBack()
        if plan.options.tables == nil {
            try refresh(try PostgreSQLCatalog(connection: connection).materializedViews())
        }
    }

    private func finishLargeObjects() throws(BackupError) {
        guard plan.restoresLargeObjects, let objects = plan.definitions?.largeObjects, rehearsal == nil else { return }
        let loader = PostgreSQLLargeObjectLoader(connection: connection)
        try loader.fill()
        if !isTransaction { try connection.execute("COMMIT") }
        try loader.finish(objects, skipsOwners: plan.options.skipsOwners)
    }

    private func runPostData(_ script: String) throws(BackupError) {
        let replay = plan.replay(on: connection)
        guard case .scratch(let workers) = way else { return try replay.run(script) }
        let counts = Dictionary(
            loaders.map { ($0.decoder.table, $0.rowCount) },
            uniquingKeysWith: { first, _ in first })
        try PostgreSQLPostData(replay, over: workers, rowCounts: counts).run(script)
    }

    private func refresh(_ views: [PostgreSQLDefinitions.View]) throws(BackupError) {
        for view in views {
            let name = PostgreSQLName(schema: view.schema, name: view.name)
            do {
                try connection.execute("REFRESH MATERIALIZED VIEW \(name.quoted)")
            } catch {
                throw error.located("materialized view \"\(name.archiveKey)\"")
            }
        }
    }

    /// Reads back, with the columns in the archive's order.
    func proof() throws(BackupError) -> any DatabaseSnapshot {
        guard plan.definitions != nil else {
            throw BackupError(
                .usage,
                "the target cannot be proven equal: only archives of PostgreSQL have their values written alike")
        }
        guard newIDs == nil else {
            throw BackupError(.usage, "the target cannot be proven equal: rows with new ids differ; leave out --prove")
        }
        // Rows that were there already, or that belong to other tables, are not the archive's.
        let tables = plan.wantedDescriptions.compactMap { description -> PostgreSQLTable? in
            guard var table = targets[PostgreSQLName(archiveKey: description.name)] else { return nil }
            table.columns = description.columns.compactMap { column in
                table.columns.first { $0.name.isExactly(column.name) }
            }
            // The user's rows of an extension's table are those that its condition finds, here as in the source.
            return table
        }
        return PostgreSQLSnapshot(
            reading: connection, tables: tables, largeObjects: plan.restoresLargeObjects && rehearsal == nil)
    }
}
