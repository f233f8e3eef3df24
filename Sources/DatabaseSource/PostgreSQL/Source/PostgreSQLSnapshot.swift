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

    /// Takes a snapshot of a database.
    ///
    /// - Throws: ``BackupError/Code/source`` where it cannot be read, ``BackupError/Code/unsupported`` where it holds
    ///   what cannot be stored, ``BackupError/Code/notFound`` for names of tables that it lacks.
    package static func open(_ address: PostgreSQLAddress, options: SnapshotOptions) throws -> PostgreSQLSnapshot {
        let connection = try PostgreSQLConnection(
            address, for: .source, timeouts: options.timeouts, isCancelled: options.isCancelled)
        do {
            let listing = try PostgreSQLOpening(connection: connection, options: options).begin()
            return try PostgreSQLSnapshot(holding: connection, listing, options)
        } catch {
            connection.close()
            throw error
        }
    }

    private init(
        holding connection: PostgreSQLConnection, _ listing: PostgreSQLOpening.Listing, _ options: SnapshotOptions
    ) throws(BackupError) {
        let catalog = PostgreSQLCatalog(connection: connection)
        let selection = listing.selection
        let definitions = PostgreSQLDefinitions(
            encoding: connection.serverEncoding, dump: listing.dump, globals: listing.globals.text,
            database: try catalog.database(), sequences: try catalog.sequences(),
            materializedViews: try catalog.materializedViews(),
            largeObjects: selection.holdsLargeObjects ? try catalog.largeObjects() : [])
        let ledger = try PostgreSQLLedger(
            connection: connection, selection: selection, tables: listing.all, secrets: options.secretColumns,
            hasDefinitions: listing.dump != nil, globals: listing.globals
        ).entries()
        warnings = listing.warnings
        self.connection = connection
        self.options = options
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
            snapshot: "repeatable read \(listing.snapshot)\(connection.isStandby ? ", standby" : "")")
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
