internal import BackupCore

/// One restore into a PostgreSQL database, from BEGIN to just before COMMIT.
final class PostgreSQLRestoration {
    let connection: PostgreSQLConnection
    private let contents: ArchiveContents
    private let options: RestoreOptions
    private let session: PostgreSQLCopySession
    /// The archive's own definitions; nil where it holds none, or those of another engine.
    private let definitions: PostgreSQLDefinitions?
    /// Whether everything is made anew, in an empty database.
    private var isWhole = false
    /// What must be put back before the end, where tables were there before.
    private var existing: PostgreSQLExistingTables?
    /// The target's tables.
    private var targets: [PostgreSQLName: PostgreSQLTable] = [:]
    private(set) var tablesToLoad: Set<ExactName>?
    private var loaders: [PostgreSQLTableLoader] = []
    private var warnings: [String] = []

    init(
        _ contents: ArchiveContents, _ options: RestoreOptions, on connection: PostgreSQLConnection
    ) throws(BackupError) {
        self.contents = contents
        self.options = options
        self.connection = connection
        session = PostgreSQLCopySession(connection)
        if contents.source?.engine == "postgresql", let schema = contents.schema {
            definitions = try PostgreSQLDefinitions(decoding: schema.definitions)
        } else {
            definitions = nil
        }
    }

    // MARK: Before the rows

    func begin() throws(BackupError) {
        try connection.execute("BEGIN")
        let query = """
            SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(PostgreSQLTableListing.isUsersSchema) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
              AND \(PostgreSQLTableListing.isNoMember("pg_class", "c.oid")) LIMIT 1
            """
        let isEmpty = try connection.text(query) == nil
        isWhole = isEmpty && !options.dataOnly && definitions?.preData != nil
        if isEmpty, !isWhole { throw noTables() }
        try chooseTables()
        if let preData = definitions?.preData, isWhole {
            try checkRoles()
            try replay.run(preData)
            if options.tables != nil {
                warnings.append("all definitions are restored, and the rows of the chosen tables only")
            }
        }
        targets = Dictionary(
            try PostgreSQLTableListing(connection: connection).tables().map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first })
        try checkTables()
        if !isWhole {
            let existing = PostgreSQLExistingTables(
                chosenTargets(), isSelection: options.tables != nil, clears: options.clearExisting, on: connection)
            try existing.begin(mayHoldRows: contents.schema == nil)
            self.existing = existing
        }
        try prepareLargeObjects()
    }

    private var replay: PostgreSQLReplay {
        PostgreSQLReplay(connection: connection, skipsOwners: options.skipsOwners, trustsSchema: options.trustSchema)
    }

    private func checkRoles() throws(BackupError) {
        var roles = PostgreSQLNeededRoles()
        roles.add(script: definitions?.preData ?? "")
        roles.add(script: definitions?.postData ?? "")
        if restoresLargeObjects, let objects = definitions?.largeObjects {
            for object in objects {
                roles.add(owner: object.owner)
                for grant in object.grants ?? [] { roles.add(owner: grant.role) }
            }
        }
        try roles.check(on: connection, skipsOwners: options.skipsOwners)
    }

    private func noTables() -> BackupError {
        let database = connection.address.redacted
        if options.dataOnly {
            return BackupError(
                .target, "\(database) has no tables, and --data-only restores into tables that are there")
        }
        return BackupError(
            .target,
            "\(database) has no tables, and the archive holds no definitions of PostgreSQL to make them by"
                + (definitions == nil ? "" : " (it was made without pg_dump)")
                + "; create the tables first, and restore into them")
    }

    private func chooseTables() throws(BackupError) {
        guard let names = options.tables else { return }
        guard let schema = contents.schema else {
            tablesToLoad = names.exactNames
            return
        }
        let held = schema.tables.map(\.name).exactNames
        let unknown = names.filter { !held.contains(ExactName($0)) }
        guard unknown.isEmpty else {
            throw BackupError(
                .notFound,
                "the archive has no rows of a table named "
                    + "\(unknown.map { "\"\($0)\"" }.joined(separator: ", ")); see `elder-backup show`")
        }
        tablesToLoad = names.exactNames
    }

    private func isWanted(_ name: String) -> Bool {
        // SQLite's counters and statistics are its own affair.
        if contents.source?.engine == "sqlite", name.hasPrefix("sqlite_") { return false }
        return tablesToLoad?.contains(ExactName(name)) ?? true
    }

    private var wantedDescriptions: [TableDescription] {
        (contents.schema?.tables ?? []).filter {
            isWanted($0.name) && !$0.name.isExactly(PostgreSQLLargeObjects.name.archiveKey)
        }
    }

    private func checkTables() throws(BackupError) {
        var faults: [String] = []
        for description in wantedDescriptions {
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
        if contents.schema != nil {
            return wantedDescriptions.compactMap { targets[PostgreSQLName(archiveKey: $0.name)] }
        }
        return targets.values.filter { isWanted($0.name.archiveKey) }.sorted { $0.name < $1.name }
    }

    private var restoresLargeObjects: Bool {
        !(definitions?.largeObjects.isEmpty ?? true) && isWanted(PostgreSQLLargeObjects.name.archiveKey)
    }

    private func prepareLargeObjects() throws(BackupError) {
        guard restoresLargeObjects, let objects = definitions?.largeObjects else { return }
        let loader = PostgreSQLLargeObjectLoader(connection: connection)
        try loader.create(objects, replacing: options.clearExisting)
    }

    // MARK: The rows

    func loader(forTable name: String, description: TableDescription?) throws(BackupError) -> any TableLoader {
        if name.isExactly(PostgreSQLLargeObjects.name.archiveKey), restoresLargeObjects {
            let columns = PostgreSQLLargeObjects.description.columns.map {
                PostgreSQLRowDecoder.Column(
                    name: $0.name, encoding: $0.encoding, isInteger: false, takesBytes: $0.encoding == .bytes)
            }
            return add(PostgreSQLRowDecoder(table: name, columns: columns), copy: PostgreSQLLargeObjectLoader.copyIn)
        }
        guard isWanted(name) else { return add(PostgreSQLRowDecoder(table: name, columns: []), copy: nil) }
        guard let table = targets[PostgreSQLName(archiveKey: name)] else {
            throw BackupError(.target, "the target has no table \"\(name)\"; create it, or leave it out with --tables")
        }
        let columns = description.map { known(columns: $0, of: table) } ?? foreign(columnsOf: table)
        return add(
            PostgreSQLRowDecoder(table: name, columns: columns),
            copy: table.copyIn(columns.filter(\.isWritten).map(\.name), freeze: isWhole))
    }

    private func add(_ decoder: PostgreSQLRowDecoder, copy: String?) -> PostgreSQLTableLoader {
        let loader = PostgreSQLTableLoader(decoder: decoder, copy: copy, session: session)
        loaders.append(loader)
        return loader
    }

    private func known(
        columns description: TableDescription, of table: PostgreSQLTable
    ) -> [PostgreSQLRowDecoder.Column] {
        var columns: [PostgreSQLRowDecoder.Column] = []
        if let key = description.rowidKey {
            columns.append(
                PostgreSQLRowDecoder.Column(name: key, encoding: .value, isInteger: true, isWritten: false))
        }
        return columns
            + description.columns.map { column in
                let own = table.columns.first { $0.name.isExactly(column.name) }
                return PostgreSQLRowDecoder.Column(
                    name: column.name, encoding: column.encoding, isInteger: own?.form == .number,
                    takesBytes: own?.form == .bytes, takesAnyText: connection.serverEncoding == "SQL_ASCII")
            }
    }

    private func foreign(columnsOf table: PostgreSQLTable) -> [PostgreSQLRowDecoder.Column] {
        table.columns.map { column in
            PostgreSQLRowDecoder.Column(
                name: column.name, encoding: column.encoding, isInteger: column.form == .number, isForeign: true)
        }
    }

    // MARK: Behind the rows

    func finishLoading() throws(BackupError) -> LoadReport {
        try session.finish()
        if restoresLargeObjects, let objects = definitions?.largeObjects {
            try PostgreSQLLargeObjectLoader(connection: connection)
                .finish(objects, skipsOwners: options.skipsOwners)
        }
        let sequences = PostgreSQLSequences(connection: connection)
        if isWhole {
            try sequences.restore(definitions?.sequences ?? [])
            if let postData = definitions?.postData { try replay.run(postData) }
            try refresh(definitions?.materializedViews ?? [])
            if let database = definitions?.database {
                let settings = PostgreSQLDatabaseSettings(connection: connection, skipsRoles: options.skipsOwners)
                warnings += try settings.apply(database, encoding: definitions?.encoding ?? "")
            }
        } else {
            try existing?.checkConstraints()
            if let definitions, options.tables == nil {
                warnings += try sequences.restoreThoseThere(definitions.sequences)
            } else {
                try sequences.advance(chosenTargets())
            }
            try existing?.putBack()
            if options.tables == nil {
                try refresh(try PostgreSQLCatalog(connection: connection).materializedViews())
            }
        }
        return LoadReport(warnings: warnings)
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
        guard definitions != nil else {
            throw BackupError(
                .usage,
                "the target cannot be proven equal: only archives of PostgreSQL have their values written alike")
        }
        // Rows that were there already, or that belong to other tables, are not the archive's.
        let tables = wantedDescriptions.compactMap { description -> PostgreSQLTable? in
            guard var table = targets[PostgreSQLName(archiveKey: description.name)] else { return nil }
            table.columns = description.columns.compactMap { column in
                table.columns.first { $0.name.isExactly(column.name) }
            }
            // The user's rows of an extension's table are those that its condition finds, here as in the source.
            return table
        }
        return PostgreSQLSnapshot(reading: connection, tables: tables, largeObjects: restoresLargeObjects)
    }
}

extension PostgreSQLTable {
    /// - Parameter freeze: whether the table was made in the same transaction, so that nobody else can see its rows.
    func copyIn(_ columns: [String], freeze: Bool) -> String {
        let list = columns.map { PostgreSQLName.quote($0) }.joined(separator: ", ")
        return "COPY \(name.quoted)\(columns.isEmpty ? "" : " (\(list))") FROM STDIN\(freeze ? " (FREEZE)" : "")"
    }
}
