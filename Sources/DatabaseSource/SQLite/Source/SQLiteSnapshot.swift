package import BackupCore
internal import CSQLite
internal import Foundation

/// All tables of a SQLite database at one moment: one read transaction.
///
/// With a write-ahead log, writers go on undisturbed, and the log grows meanwhile; with a rollback journal they wait
/// until the snapshot is closed, unless a private copy is read (``SnapshotOptions/stagingPath``).
package final class SQLiteSnapshot: DatabaseSnapshot {
    package let source: SourceDescription
    package let schema: SchemaDocument
    package let warnings: [String]
    package let estimatedRows: Int?

    /// The structure as SQLite knows it; nil where a connection of someone else's is read.
    let definitions: SQLiteSchema?

    private let connection: SQLiteConnection
    private let ownsConnection: Bool
    private let options: SnapshotOptions
    private let isUTF16: Bool
    private let accesses: [SQLiteName: SQLiteTableAccess]
    /// The log that grows while this snapshot is held; nil where it holds none.
    private let log: WriteAheadLog?
    private var report: SnapshotReport?
    private let check: SQLiteSourceCheck?

    /// Takes a snapshot of a database file.
    ///
    /// - Throws: ``BackupError/Code/source`` where it cannot be read, ``BackupError/Code/unsupported`` where it holds
    ///   what cannot be stored, ``BackupError/Code/notFound`` for names of tables that it lacks,
    ///   ``BackupError/Code/storage`` where the private copy cannot be made.
    package static func open(path: String, options: SnapshotOptions) throws -> SQLiteSnapshot {
        let log = WriteAheadLog(ofDatabase: path)
        let connection = try SQLiteSourceFile.open(path, lockTimeout: options.lockTimeout)
        do {
            return try SQLiteSnapshot(holding: connection, log: log, options: options)
        } catch {
            SQLiteSnapshot.close(connection, log: log)
            throw error
        }
    }

    private init(holding original: SQLiteConnection, log: WriteAheadLog, options: SnapshotOptions) throws(BackupError) {
        var definitions = SQLiteShadowTables.settled(
            try SQLiteSchemaReader(connection: original).read(), trustSchema: true)
        let isLogged = definitions.journalMode == "wal"
        var warnings: [String] = []
        let snapshot: String
        let check: SQLiteSourceCheck?
        if let path = options.stagingPath {
            // The original's transaction is still the one in which its structure was read.
            connection = try SQLiteStaging.copy(of: original, to: path)
            SQLiteSnapshot.close(original, log: log)
            self.log = nil
            check = nil
            warnings += try SQLiteSourceCheck.run(on: connection, options)
            snapshot = "staged copy, \(isLogged ? "wal" : "rollback journal")"
        } else {
            connection = original
            self.log = isLogged ? log : nil
            check = try SQLiteSourceCheck.begin(original.path, options)
            snapshot = "one read transaction, \(isLogged ? "wal" : "rollback journal")"
        }
        self.check = check
        let plan: SQLiteDumpPlan
        do {
            plan = try SQLiteDumpPlan(of: definitions, on: connection, options: options)
            definitions.objects.removeAll {
                $0.kind == .internalTable && SQLiteSelection.droppedStatistics.contains(asciiLowercased($0.name))
            }
            // What cannot be rebuilt here must fail the backup, not the restore that somebody needs one day.
            warnings += try SQLiteSchemaReplay.check(definitions)
        } catch {
            check?.cancel()
            throw error
        }
        ownsConnection = true
        self.options = options
        self.definitions = definitions
        self.warnings = warnings
        accesses = plan.accesses
        isUTF16 = definitions.encoding != "UTF-8"
        schema = SchemaDocument(
            tables: plan.tables, ledger: plan.ledger, definitions: try SQLiteSnapshot.encode(definitions))
        source = SQLiteSnapshot.describe(original.path, snapshot: snapshot)
        estimatedRows = SQLiteRowEstimate(connection: connection, pageSize: definitions.pageSize)
            .rows(of: plan.tables, accesses: plan.accesses)
        // A value above the limit is refused before it is loaded. The row's own header needs room besides; the exact
        // check follows when a row was read.
        let room = options.maximumRow.addingReportingOverflow(1 << 20)
        sqlite3_limit(
            connection.handle, SQLITE_LIMIT_LENGTH, room.overflow ? Int32.max : Int32(clamping: room.partialValue))
    }

    /// Reads tables through a connection of someone else's, in whatever transaction it is, uncommitted changes
    /// included. The connection must stay open and its schema unchanged for as long as this is used; closing this
    /// leaves both as they are.
    init(
        reading connection: SQLiteConnection, tables: [TableDescription], maximumRow: Int = Int.max
    ) throws(BackupError) {
        var accesses: [SQLiteName: SQLiteTableAccess] = [:]
        let listing = try SQLiteTableListing(connection)
        for table in tables {
            let columns = try SQLiteColumn.all(of: table.name, on: connection)
            accesses[SQLiteName(table.name)] = try listing.access(to: table.name, columns: columns, on: connection)
        }
        self.connection = connection
        self.accesses = accesses
        ownsConnection = false
        options = {
            var options = SnapshotOptions()
            options.maximumRow = maximumRow
            return options
        }()
        isUTF16 = try connection.text("PRAGMA main.encoding") != "UTF-8"
        definitions = nil
        check = nil
        log = nil
        warnings = []
        estimatedRows = nil
        schema = SchemaDocument(tables: tables, ledger: [], definitions: [])
        source = SQLiteSnapshot.describe(connection.path, snapshot: "the transaction of a restore")
    }

    deinit {
        check?.cancel()
        close()
    }

    package func reader(for table: TableDescription) throws -> any TableReader {
        guard report == nil else { throw BackupError(.internal, "the snapshot was closed before it was read") }
        guard let access = accesses[SQLiteName(table.name)] else {
            throw BackupError(.internal, "table \"\(table.name)\" is not part of this snapshot")
        }
        guard table.rowidKey == nil || access.rowidName != nil else {
            throw BackupError(
                .unsupported,
                "the row numbers of table \"\(table.name)\" cannot be read: it has none, or columns hide them")
        }
        return try SQLiteTableReader(
            table: table, access: access, connection: connection,
            secrets: options.secrets(of: table.name), isUTF16: isUTF16, maximumRow: options.maximumRow,
            check: { [log, limit = options.maximumLogGrowth] () throws(BackupError) in
                try SQLiteSnapshot.checkGrowth(of: log, limit: limit)
            })
    }

    @discardableResult
    package func close() -> SnapshotReport {
        if let report { return report }
        var report = SnapshotReport(logGrowth: log?.growth)
        do throws(BackupError) {
            report.warnings = try check?.finish() ?? []
        } catch {
            report.fault = error
        }
        self.report = report
        if ownsConnection { SQLiteSnapshot.close(connection, log: log) }
        return report
    }

    private static func checkGrowth(of log: WriteAheadLog?, limit: Int?) throws(BackupError) {
        guard let log, let limit else { return }
        let growth = log.growth
        guard growth > limit else { return }
        throw BackupError(
            .source,
            "\(log.path) grew by \(growth) bytes while it was read, more than BACKUP_MAX_WAL_GROWTH allows (\(limit));"
                + " raise it, run at a quieter time, or use --stage")
    }

    /// A connection that only reads leaves the files of the log behind, owned by whoever reads. Where they were not
    /// there before, one that may write is opened and closed: the last to leave removes them. Where that cannot be,
    /// or others have come, they stay, and no harm is done.
    private static func close(_ connection: SQLiteConnection, log: WriteAheadLog?) {
        connection.close()
        guard let log, !log.wasThere, access(log.path, F_OK) == 0 else { return }
        guard let writer = try? SQLiteConnection(path: connection.path, mode: .readWrite, lockTimeout: .zero) else {
            return
        }
        _ = try? writer.integer("PRAGMA main.schema_version")
        writer.close()
    }

    private static func encode(_ definitions: SQLiteSchema) throws(BackupError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(definitions))
        } catch {
            throw BackupError(.internal, "the schema cannot be written as JSON: \(error)")
        }
    }

    private static func describe(_ path: String, snapshot: String) -> SourceDescription {
        SourceDescription(
            engine: "sqlite", version: String(cString: sqlite3_libversion()),
            database: path.split(separator: "/").last.map(String.init) ?? path, snapshot: snapshot)
    }
}
