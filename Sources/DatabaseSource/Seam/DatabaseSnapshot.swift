package import BackupCore

/// What a backup records about the database it was taken from.
package struct SourceDescription: Sendable, Codable, Equatable {
    /// `sqlite`, `postgresql`.
    package var engine: String
    /// The engine's version, for example `3.40.1`.
    package var version: String
    /// The database's name without path, host or secret.
    package var database: String
    /// How the common snapshot was taken, in the engine's own terms.
    package var snapshot: String
    /// What a run adds to it: see ``BackupContent``. Archives of before have neither.
    package var identity: String?
    package var scope: String?

    package init(engine: String, version: String, database: String, snapshot: String) {
        self.engine = engine
        self.version = version
        self.database = database
        self.snapshot = snapshot
    }
}

/// One object of the source's catalog and what the backup holds of it. Every object has an entry.
package struct LedgerEntry: Sendable, Codable, Equatable {
    package enum Holding: String, Sendable, Codable, CaseIterable {
        /// Its definition and its rows.
        case stored
        /// Its definition; there is nothing else to hold (a view, a trigger).
        case definition
        /// Its definition; its content is computed anew on restore (an index).
        case recomputed
        /// Its definition only: its rows were left out by choice.
        case excluded
        /// Not held, for the reason given.
        case unsupported
    }

    /// `table`, `index`, `view`, `trigger`, `virtual table`, …
    package var type: String
    package var name: String
    package var holding: Holding
    /// Why it is held so, where that is not plain: who excluded it, or what is not supported.
    package var reason: String?

    package init(type: String, name: String, holding: Holding, reason: String? = nil) {
        self.type = type
        self.name = name
        self.holding = holding
        self.reason = reason
    }
}

/// Everything about a database's structure that an archive keeps.
package struct SchemaDocument: Sendable, Equatable {
    /// The tables whose rows follow, in the order in which they are written.
    package var tables: [TableDescription]
    /// What the backup holds of each object of the source.
    package var ledger: [LedgerEntry]
    /// The engine's own definitions as one JSON object, opaque to all but the engine named in the source description.
    /// Empty where there are rows alone, as in an export.
    package var definitions: [UInt8]

    package init(tables: [TableDescription], ledger: [LedgerEntry], definitions: [UInt8]) {
        self.tables = tables
        self.ledger = ledger
        self.definitions = definitions
    }
}

/// How a snapshot is taken.
package struct SnapshotOptions: Sendable {
    /// Only these tables' rows; all when nil. A name that the source lacks is an error.
    package var includedTables: [String]?
    /// Not these tables' rows. A name that the source lacks is an error.
    package var excludedTables: [String] = []
    /// The largest row that is accepted, in bytes of its values (`BACKUP_MAX_ROW`).
    package var maximumRow = 256 << 20
    /// How long to wait for a lock before giving up.
    package var lockTimeout: Duration = .seconds(30)
    /// How long one statement may take, where the engine can limit that; nil for no limit.
    package var statementTimeout: Duration?
    /// A file, not yet there, for a private copy of the database, made with the engine's own means, that is read in place
    /// of it and then gone; nil reads the database itself.
    package var stagingPath: String?
    /// By how many bytes the write-ahead log may grow while the snapshot is held; nil for no limit.
    package var maximumLogGrowth: Int?
    /// Columns whose values are never read, as table and column names: written as null. For the secrets of a catalog
    /// that lives in the database that is backed up.
    package var secretColumns: [String: Set<String>] = [:]
    /// How the engine checks the database meanwhile; what it finds is in ``SnapshotReport/fault``.
    package var sourceCheck = SourceCheck.quick
    /// Over how many connections large tables are read, where the engine has connections (`BACKUP_JOBS`).
    package var connections = 2
    /// The directories in which the engine's own programs are looked for; nil for the usual ones.
    package var programDirectories: [String]?
    /// Asked now and then by what takes long; true ends it with `cancelled`.
    package var isCancelled: @Sendable () -> Bool = { false }

    package init() {}
}

/// What a snapshot has to say when it ends.
package struct SnapshotReport: Sendable, Equatable {
    /// By how many bytes the write-ahead log grew while the snapshot was held, where there is one.
    package var logGrowth: Int?
    /// What the user should know, each a line.
    package var warnings: [String]
    /// Why what was read must not be kept: the source failed its own engine's check.
    package var fault: BackupError?
    /// For how long the source could not tidy up behind the snapshot, where it tidies up (PostgreSQL's vacuum).
    package var held: Duration?

    package init(
        logGrowth: Int? = nil, warnings: [String] = [], fault: BackupError? = nil, held: Duration? = nil
    ) {
        self.held = held
        self.logGrowth = logGrowth
        self.warnings = warnings
        self.fault = fault
    }
}

/// All tables of a database at one moment.
///
/// Calls block, and all come from one thread at a time, never one of Swift's cooperative pool.
package protocol DatabaseSnapshot: AnyObject {
    var source: SourceDescription { get }
    var schema: SchemaDocument { get }
    /// What the user should know about this snapshot, each a line.
    var warnings: [String] { get }
    /// About how many rows the tables of ``schema`` hold, for a progress bar; nil when that is not known cheaply.
    var estimatedRows: Int? { get }

    /// Begins to read a table of ``schema``; one table at a time.
    func reader(for table: TableDescription) throws -> any TableReader
    /// Gives the snapshot up. Safe to call more than once; `deinit` does it too.
    func close() throws -> SnapshotReport
}

/// The rows of one table, encoded.
package protocol TableReader: AnyObject {
    /// Adds rows to the batch until a member ends, the table ends, or a row comes that wants a batch of its own.
    ///
    /// - Parameters:
    ///   - batch: it may hold the text that opens the table, but no rows.
    ///   - acceptsLargeRow: whether a row whose text may exceed ``MemberBoundary/largest`` may be read into the batch.
    func fill(_ batch: RowBatch, acceptsLargeRow: Bool) throws -> FillResult
}

package enum FillResult: Sendable, Equatable {
    /// More rows may follow.
    case more
    /// The table's last row is in the batch, or was in an earlier one.
    case last
    /// The next row is large and was not read: call again with an empty batch that accepts it, once memory is free.
    case largeRowNext
}
