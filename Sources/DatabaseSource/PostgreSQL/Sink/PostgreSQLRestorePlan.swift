internal import BackupCore

/// What a restore is to do, as far as archive, options and a first look at the target tell.
struct PostgreSQLRestorePlan {
    let contents: ArchiveContents
    let options: RestoreOptions
    /// The archive's own definitions; nil where it holds none, or those of another engine.
    let definitions: PostgreSQLDefinitions?
    /// Whether everything is made anew, in an empty database.
    let isWhole: Bool
    /// Nil for all that the archive holds.
    let tablesToLoad: Set<ExactName>?

    /// Finds a row where a database has tables, sequences or views of its own.
    static let anyRelation = """
        SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE \(PostgreSQLTableListing.isUsersSchema) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND \(PostgreSQLTableListing.isNoMember("pg_class", "c.oid")) LIMIT 1
        """

    init(
        _ contents: ArchiveContents, _ options: RestoreOptions, on connection: PostgreSQLConnection
    ) throws(BackupError) {
        self.contents = contents
        self.options = options
        if contents.source?.engine == "postgresql", let schema = contents.schema, !schema.definitions.isEmpty {
            definitions = try PostgreSQLDefinitions(decoding: schema.definitions)
        } else {
            definitions = nil
        }
        let isEmpty = try connection.text(PostgreSQLRestorePlan.anyRelation) == nil
        isWhole = isEmpty && !options.dataOnly && !options.regenerateIDs && definitions?.preData != nil
        if isEmpty, !isWhole {
            throw PostgreSQLRestorePlan.noTables(connection.address.redacted, options, definitions)
        }
        tablesToLoad = try PostgreSQLRestorePlan.chooseTables(contents, options)
    }

    private static func noTables(
        _ database: String, _ options: RestoreOptions, _ definitions: PostgreSQLDefinitions?
    ) -> BackupError {
        if options.dataOnly || options.regenerateIDs {
            let option = options.dataOnly ? "--data-only" : "--regenerate-ids"
            return BackupError(
                .target, "\(database) has no tables, and \(option) restores into tables that are there")
        }
        return BackupError(
            .target,
            "\(database) has no tables, and the archive holds no definitions of PostgreSQL to make them by"
                + (definitions == nil ? "" : " (it was made without pg_dump)")
                + "; create the tables first, and restore into them")
    }

    private static func chooseTables(
        _ contents: ArchiveContents, _ options: RestoreOptions
    ) throws(BackupError) -> Set<ExactName>? {
        guard let names = options.tables else { return nil }
        guard let schema = contents.schema else { return names.exactNames }
        let held = schema.tables.map(\.name).exactNames
        let unknown = names.filter { !held.contains(ExactName($0)) }
        guard unknown.isEmpty else {
            throw BackupError(
                .notFound,
                "the archive has no rows of a table named "
                    + "\(unknown.map { "\"\($0)\"" }.joined(separator: ", ")); see `elder-backup show`")
        }
        return names.exactNames
    }

    func isWanted(_ name: String) -> Bool {
        // SQLite's counters and statistics are its own affair.
        if contents.source?.engine == "sqlite", name.hasPrefix("sqlite_") { return false }
        return tablesToLoad?.contains(ExactName(name)) ?? true
    }

    /// The tables that get rows, large objects left aside.
    var wantedDescriptions: [TableDescription] {
        (contents.schema?.tables ?? []).filter {
            isWanted($0.name) && !$0.name.isExactly(PostgreSQLLargeObjects.name.archiveKey)
        }
    }

    var restoresLargeObjects: Bool {
        !(definitions?.largeObjects.isEmpty ?? true) && isWanted(PostgreSQLLargeObjects.name.archiveKey)
    }

    func databaseSettings(on connection: PostgreSQLConnection) -> PostgreSQLDatabaseSettings {
        PostgreSQLDatabaseSettings(connection: connection, skipsRoles: options.skipsOwners)
    }

    func replay(on connection: PostgreSQLConnection) -> PostgreSQLReplay {
        PostgreSQLReplay(
            connection: connection, skipsOwners: options.skipsOwners, trustsSchema: options.trustSchema,
            isSelection: options.tables != nil)
    }
}
