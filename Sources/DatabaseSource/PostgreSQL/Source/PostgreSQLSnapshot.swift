package import BackupCore
internal import CLibpq

/// All tables of a PostgreSQL database at one moment: one transaction that sees nothing of what came after it.
///
/// The tables are locked against changes of their structure and against TRUNCATE (which no snapshot hides) **before**
/// the moment is chosen; writers go on undisturbed. While it is held, vacuum removes no row that died since.
package final class PostgreSQLSnapshot: DatabaseSnapshot {
    package let source: SourceDescription
    package let schema: SchemaDocument
    package let warnings: [String]
    package let estimatedRows: Int?

    private let connection: PostgreSQLConnection
    private let ownsConnection: Bool
    private let options: SnapshotOptions
    private let tables: [ExactName: PostgreSQLTable]
    /// Nil where one connection reads all.
    private let helpers: PostgreSQLHelpers?
    private let started = ContinuousClock.now
    private var report: SnapshotReport?

    /// How often it is tried to reach a moment at which nothing changes.
    private static let attempts = 10
    /// In how many of them pg_dump runs before the snapshot, and so waits for nobody who waits for the snapshot's locks.
    private static let earlyAttempts = 5

    /// Takes a snapshot of a database.
    ///
    /// - Throws: ``BackupError/Code/source`` where it cannot be read, ``BackupError/Code/unsupported`` where it holds
    ///   what cannot be stored, ``BackupError/Code/notFound`` for names of tables that it lacks.
    package static func open(_ address: PostgreSQLAddress, options: SnapshotOptions) throws -> PostgreSQLSnapshot {
        let connection = try PostgreSQLConnection(
            address, for: .source, lockTimeout: options.lockTimeout, isCancelled: options.isCancelled)
        do {
            return try PostgreSQLSnapshot(holding: connection, try begin(on: connection, options), options)
        } catch {
            connection.close()
            throw error
        }
    }

    /// The tables of a database, some of them to be read, and its definitions.
    private struct Listing {
        var all: [PostgreSQLTable]
        var selection: PostgreSQLSelection
        var dump: PostgreSQLSchemaDump?
        /// The number of the snapshot, as the server gives it to others.
        var snapshot = ""
    }

    private static func listing(
        on connection: PostgreSQLConnection, _ options: SnapshotOptions
    ) throws(BackupError) -> Listing {
        let reader = PostgreSQLTableListing(connection: connection)
        let all = try reader.tables()
        let hasLargeObjects = try connection.text("SELECT 1 FROM pg_largeobject_metadata LIMIT 1") != nil
        let selection = try PostgreSQLSelection(
            of: all, parents: try reader.partitions(), hasLargeObjects: hasLargeObjects, options: options)
        return Listing(all: all, selection: selection)
    }

    private static func begin(
        on connection: PostgreSQLConnection, _ options: SnapshotOptions
    ) throws(BackupError) -> Listing {
        let dump = PostgreSQLSchemaDump.Runner(connection, options)
        var reason = "tables come and go"
        for attempt in 0..<attempts {
            let isEarly = attempt < earlyAttempts
            do throws(BackupError) {
                if let listing = try attemptToBegin(on: connection, options, dump, isEarly: isEarly) {
                    return listing
                }
            } catch {
                guard isGone(error) || !isEarly && isBlocked(error) else { throw error }
                reason = error.message
            }
            try connection.execute("ROLLBACK")
        }
        throw BackupError(
            .source,
            "the database's structure changes faster than it can be read (\(attempts) attempts; the last one: \(reason)); "
                + "run at a quieter time")
    }

    /// Nil where the structure changed meanwhile.
    private static func attemptToBegin(
        on connection: PostgreSQLConnection, _ options: SnapshotOptions, _ runner: PostgreSQLSchemaDump.Runner,
        isEarly: Bool
    ) throws(BackupError) -> Listing? {
        let print = isEarly ? try PostgreSQLFingerprint.text(on: connection) : ""
        let early = isEarly ? try runner.take(snapshot: nil) : nil
        let before = try listing(on: connection, options)
        // Neither BEGIN nor LOCK chooses the moment; the first query behind them does.
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try lock(before.selection.tables, on: connection)
        var after = try listing(on: connection, options)
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

    private static func lock(_ tables: [PostgreSQLTable], on connection: PostgreSQLConnection) throws(BackupError) {
        for start in stride(from: 0, to: tables.count, by: 200) {
            let names = tables[start..<min(start + 200, tables.count)].map { "ONLY " + $0.name.quoted }
            try connection.execute("LOCK TABLE \(names.joined(separator: ", ")) IN ACCESS SHARE MODE")
        }
    }

    /// Whether pg_dump waited in vain: where locks are held here, for somebody who waits for these, perhaps.
    private static func isBlocked(_ error: BackupError) -> Bool {
        error.message.hasPrefix("pg_dump ") && error.message.contains("timeout")
    }

    /// Whether something was dropped meanwhile.
    private static func isGone(_ error: BackupError) -> Bool {
        let ofServer = ["[42P01]", "[3F000]", "[XX000]", "[42704]"]
        let ofDump = ["does not exist", "cache lookup failed", "could not open relation", "could not find"]
        return error.message.hasPrefix("pg_dump ")
            ? ofDump.contains { error.message.contains($0) } : ofServer.contains { error.message.contains($0) }
    }

    private init(
        holding connection: PostgreSQLConnection, _ listing: Listing, _ options: SnapshotOptions
    ) throws(BackupError) {
        let catalog = PostgreSQLCatalog(connection: connection)
        let dump = listing.dump
        var warnings = dump?.warnings.map { "pg_dump: \($0)" } ?? []
        if dump == nil {
            warnings.append(
                "there is no pg_dump for PostgreSQL \(connection.versionText) on this machine: only rows are backed up, "
                    + "and they restore only into a database that has the tables; install postgresql-client")
        }
        let selection = listing.selection
        let definitions = PostgreSQLDefinitions(
            encoding: try connection.text("SHOW server_encoding") ?? "", dump: dump,
            sequences: try catalog.sequences(), materializedViews: try catalog.materializedViews(),
            largeObjects: selection.holdsLargeObjects ? try catalog.largeObjects() : [])
        let ledger = try PostgreSQLLedger(
            connection: connection, selection: selection, tables: listing.all, secrets: options.secretColumns,
            hasDefinitions: dump != nil
        ).entries()
        let isStandby = try connection.text("SELECT pg_is_in_recovery()") == "t"
        self.connection = connection
        self.options = options
        self.warnings = warnings
        ownsConnection = true
        helpers =
            options.connections > 1
            ? PostgreSQLHelpers(
                connection.address, snapshot: listing.snapshot, count: options.connections, options: options) : nil
        tables = PostgreSQLSnapshot.index(selection.tables)
        var descriptions = selection.tables.map(\.description)
        if selection.holdsLargeObjects { descriptions.append(PostgreSQLLargeObjects.description) }
        schema = SchemaDocument(tables: descriptions, ledger: ledger, definitions: try definitions.encoded())
        source = SourceDescription(
            engine: "postgresql", version: connection.versionText, database: connection.databaseName,
            snapshot: "repeatable read \(listing.snapshot)\(isStandby ? ", standby" : "")")
        let counted = selection.tables.compactMap(\.estimatedRows)
        estimatedRows = counted.isEmpty ? nil : counted.reduce(0, +)
    }

    /// Reads tables through a connection of someone else's, in whatever transaction it is, uncommitted changes
    /// included. Closing this leaves the connection as it is.
    init(
        reading connection: PostgreSQLConnection, tables: [PostgreSQLTable], largeObjects: Bool
    ) {
        self.connection = connection
        ownsConnection = false
        helpers = nil
        options = {
            var options = SnapshotOptions()
            options.maximumRow = Int.max
            return options
        }()
        self.tables = PostgreSQLSnapshot.index(tables)
        warnings = []
        estimatedRows = nil
        var descriptions = tables.map(\.description)
        if largeObjects { descriptions.append(PostgreSQLLargeObjects.description) }
        schema = SchemaDocument(tables: descriptions, ledger: [], definitions: [])
        source = SourceDescription(
            engine: "postgresql", version: connection.versionText, database: connection.databaseName,
            snapshot: "the transaction of a restore")
    }

    deinit { close() }

    private static func index(_ tables: [PostgreSQLTable]) -> [ExactName: PostgreSQLTable] {
        Dictionary(tables.map { (ExactName($0.name.archiveKey), $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func reader(for table: TableDescription) throws -> any TableReader {
        guard report == nil else { throw BackupError(.internal, "the snapshot was closed before it was read") }
        if table.name.isExactly(PostgreSQLLargeObjects.name.archiveKey) {
            return try PostgreSQLTableReader(
                table: table.name, columns: PostgreSQLLargeObjects.columns, secrets: [],
                maximumRow: Int.max, origin: .connection(connection, copy: PostgreSQLLargeObjects.copyOut))
        }
        guard let own = tables[ExactName(table.name)] else {
            throw BackupError(.internal, "table \"\(table.name)\" is not part of this snapshot")
        }
        return try PostgreSQLTableReader(
            table: table.name, columns: own.columns, secrets: options.secretColumns[table.name] ?? [],
            maximumRow: options.maximumRow, origin: try origin(of: own))
    }

    /// Pages of a part of a table. Several parts are in memory at once.
    private static let partPages: Int64 = 256
    /// Below this size a table is read at once, in pages.
    private static let smallestParted: Int64 = 1024

    /// A large table is read in parts by ranges of its pages, where the server can find these without reading the rest.
    private func origin(of table: PostgreSQLTable) throws(BackupError) -> PostgreSQLTableReader.Origin {
        let whole = PostgreSQLTableReader.Origin.connection(connection, copy: table.copyOut)
        guard let helpers, connection.serverVersion >= 140_000, table.condition == nil else { return whole }
        // The size now, for the one that statistics know is stale. Rows added since belong to no snapshot of before.
        let size = try connection.query(
            "SELECT pg_relation_size(\(table.oid)) / current_setting('block_size')::bigint FROM pg_class "
                + "WHERE oid = \(table.oid) AND relam = (SELECT oid FROM pg_am WHERE amname = 'heap')")
        guard size.rowCount == 1, let pages = size.integer(0, 0), pages >= PostgreSQLSnapshot.smallestParted else {
            return whole
        }
        let connections = helpers.connections(locking: table.name)
        guard !connections.isEmpty else { return whole }
        let starts = Array(stride(from: 0, to: pages, by: Int(PostgreSQLSnapshot.partPages)))
        let statements = starts.enumerated().map { index, start in
            table.copyOut(fromPage: start, toPage: index + 1 < starts.count ? starts[index + 1] : nil)
        }
        return .parts(PostgreSQLRangeReader(statements, over: connections), stop: { helpers.stop() })
    }

    @discardableResult
    package func close() -> SnapshotReport {
        if let report { return report }
        let report = SnapshotReport(warnings: helpers?.warnings ?? [], held: ContinuousClock.now - started)
        self.report = report
        helpers?.close()
        if ownsConnection { connection.close() }
        return report
    }
}
