internal import BackupCore
internal import CSQLite

/// A restore that makes a database: schema, rows and indexes, in a file that appears under its name when complete.
final class SQLiteNewFile: SQLiteRestoration {
    private(set) var connection: SQLiteConnection
    /// The tables whose rows are wanted.
    private let wantedTables: Set<ExactName>
    var tablesToLoad: Set<ExactName>? { wantedTables }
    /// Of the counters, a choice of tables keeps only those of the tables chosen.
    var provableTables: Set<ExactName> { isSelection ? wantedTables.subtracting(["sqlite_sequence"]) : wantedTables }
    let needsSurvey = false

    private let path: String
    private let file: SQLiteTemporaryFile
    private let schema: SQLiteSchema
    /// The tables that rows may go to.
    private let tables: [ExactName: SQLiteSchema.Object]
    private let options: RestoreOptions
    private let isSelection: Bool
    private var replay: SQLiteSchemaReplay?
    private var loaders: [SQLiteTableLoader] = []
    private var warnings: [String]
    private var sequenceWasLoaded = false

    init(path: String, schema: SQLiteSchema, tables: [TableDescription], options: RestoreOptions) throws(BackupError) {
        self.path = path
        self.options = options
        let held = tables.map(\.name).exactNames
        let selection = try SQLiteChosenSchema(schema, chosen: options.tables, held: held)
        self.schema = selection.schema
        isSelection = options.tables != nil
        warnings = selection.warnings
        self.tables = Dictionary(
            selection.schema.objects.filter { $0.isTable && $0.kind != .virtualTable }.map { (ExactName($0.name), $0) },
            uniquingKeysWith: { first, _ in first })
        wantedTables = held.intersection(self.tables.keys)
        file = try SQLiteTemporaryFile(for: path)
        connection = try SQLiteConnection(path: file.path, mode: .readWrite, lockTimeout: options.lockTimeout)
    }

    func begin() throws {
        try configure(connection)
        try SQLiteSchemaReplay.prepare(connection, for: schema)
        try connection.execute("PRAGMA cache_size=-8192")
        try connection.execute("BEGIN IMMEDIATE")
        let replay = try SQLiteSchemaReplay(schema, on: connection, trustSchema: options.trustSchema)
        try replay.createAllButIndexes()
        self.replay = replay
        try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, false)
        // What creation left in a table whose rows the archive holds.
        for name in wantedTables where tables[name]?.kind == .shadowTable {
            try connection.execute("DELETE FROM main.\(SQLiteConnection.quote(name.text))")
        }
    }

    /// Nobody else sees the file, and a crash leaves nothing of it: journal and locks would only cost time. The data
    /// equal the source's, so nothing of it is checked or changed on the way.
    private func configure(_ connection: SQLiteConnection) throws(BackupError) {
        connection.interrupt(when: options.isCancelled)
        try connection.execute("PRAGMA journal_mode=OFF")
        try connection.execute("PRAGMA synchronous=OFF")
        try connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try connection.execute("PRAGMA ignore_check_constraints=ON")
        // Sorting for an index may take more than memory should: SQLite's temporary files have no name.
        try connection.execute("PRAGMA temp_store=FILE")
        try connection.configure(SQLITE_DBCONFIG_ENABLE_FKEY, false)
        try connection.configure(SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
    }

    func endSurvey() throws {}

    func loader(forTable name: String, description: TableDescription?) throws -> any TableLoader {
        guard let description else {
            throw BackupError(.damaged, "the archive does not describe its table \"\(name)\"")
        }
        guard tables[ExactName(name)] != nil else {
            throw BackupError(
                .unsupported, "the archive holds rows of \"\(name)\", which its schema does not define")
        }
        if name == "sqlite_sequence" {
            // Loading has counted already, in its own way.
            try connection.execute("DELETE FROM main.sqlite_sequence")
            sequenceWasLoaded = true
        }
        let loader = SQLiteTableLoader(try plan(name, description), on: connection)
        loaders.append(loader)
        return loader
    }

    private func plan(_ name: String, _ description: TableDescription) throws(BackupError) -> SQLiteTableLoader.Plan {
        let table = try SQLiteTargetTable(name, on: connection)
        let stored = table.columns.filter { !$0.isGenerated }.map(\.name).exactNames
        let described = description.columns.map(\.name)
        guard stored == described.exactNames, stored.count == described.count,
            description.rowidKey == nil || table.rowidName != nil
        else {
            throw BackupError(.unsupported, "the columns of table \"\(name)\" and their definition do not fit together")
        }
        var plan = SQLiteTableLoader.Plan(
            table: table, columns: description.decoderColumns, targets: described, isForeign: false,
            isUTF16: schema.encoding != "UTF-8")
        if description.rowidKey != nil { plan.targets.insert(table.rowidName, at: 0) }
        return plan
    }

    func finishLoading() throws -> LoadReport {
        for loader in loaders { loader.finish() }
        try settleCounters()
        try replay?.createIndexes()
        try SQLiteSchemaOrder.restore(schema.objects, on: connection)
        warnings += replay?.notes ?? []
        var notes: [String] = []
        for (pair, count) in try connection.foreignKeyViolations(notes: &notes).sorted(by: { $0.key < $1.key }) {
            warnings.append(
                "table \"\(pair.child)\": \(count) foreign keys have no parent in \"\(pair.parent)\""
                    + (isSelection ? "" : ", as in the source"))
        }
        warnings += notes
        try connection.execute("COMMIT")
        try checkVirtualTables()
        return LoadReport(warnings: warnings)
    }

    private func settleCounters() throws(BackupError) {
        guard try connection.integer("SELECT 1 FROM sqlite_schema WHERE name='sqlite_sequence'") != nil else { return }
        if isSelection {
            try connection.execute(
                "DELETE FROM main.sqlite_sequence WHERE name NOT IN (SELECT name FROM sqlite_schema WHERE type='table')"
            )
        } else if wantedTables.contains("sqlite_sequence"), !sequenceWasLoaded {
            try connection.execute("DELETE FROM main.sqlite_sequence")
        }
    }

    /// Lets the modules that can check their own content, which was loaded as rows of their shadow tables. A new
    /// connection, because a module may remember what was there before.
    private func checkVirtualTables() throws(BackupError) {
        let virtualTables = schema.objects.filter { object in
            object.kind == .virtualTable
                && schema.objects.contains { shadow in
                    shadow.owner.map(SQLiteName.init(_:)) == SQLiteName(object.name)
                        && wantedTables.contains(ExactName(shadow.name))
                }
        }
        guard !virtualTables.isEmpty else { return }
        try reconnect()
        for object in virtualTables {
            let fault = try fault(of: object)
            // A module may take the interruption for a fault of its content.
            if options.isCancelled() { throw BackupError(.cancelled, "cancelled; nothing was changed") }
            if let fault {
                warnings.append("virtual table \"\(object.name)\" fails its own check, as in the source: \(fault)")
            }
        }
        try reconnect()
    }

    private func reconnect() throws(BackupError) {
        replay = nil
        connection.close()
        connection = try SQLiteConnection(path: file.path, mode: .readWrite, lockTimeout: options.lockTimeout)
        try configure(connection)
        try connection.configure(SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)
    }

    private func fault(of object: SQLiteSchema.Object) throws(BackupError) -> String? {
        let name = SQLiteConnection.quote(object.name)
        do {
            switch (object.module ?? "").lowercased() {
            case "fts3", "fts4", "fts5":
                try connection.execute("INSERT INTO main.\(name)(\(name)) VALUES('integrity-check')")
            case "rtree", "rtree_i32", "geopoly":
                let words = try connection.text("SELECT rtreecheck('main',?)", object.name)
                return words == "ok" ? nil : words
            default:
                return nil
            }
        } catch let error {
            if error.code == .storage || error.code == .cancelled { throw error }
            return error.message.replacing(file.path, with: path)
        }
        return nil
    }

    func commit() throws {
        for loader in loaders { loader.finish() }
        if schema.journalMode == "wal" {
            guard try connection.text("PRAGMA journal_mode=WAL") == "wal" else {
                throw BackupError(.target, "\(path) cannot be given a write-ahead log on this file system")
            }
        }
        replay = nil
        try connection.closeCompletely()
        try file.publish()
    }

    func rollback() {
        for loader in loaders { loader.finish() }
        replay = nil
        connection.close()
        file.remove()
    }
}

extension TableDescription {
    /// How the keys of each row object are read, in order.
    var decoderColumns: [SQLiteRowDecoder.Column] {
        let columns = columns.map { column in
            let form: SQLiteRowDecoder.Column.Form =
                switch column.encoding {
                case .value, .boolean: .value
                case .json: .json
                case .bytes: .bytes
                }
            return SQLiteRowDecoder.Column(name: column.name, form: form)
        }
        return (rowidKey.map { [SQLiteRowDecoder.Column(name: $0, form: .rowid)] } ?? []) + columns
    }
}
