internal import BackupCore
internal import CSQLite

/// A restore of rows into the tables of a database that is there: one transaction on the live file.
final class SQLiteExistingDatabase: SQLiteRestoration {
    let connection: SQLiteConnection
    /// The tables whose rows are wanted; grows with the tables that come where the archive has no schema.
    private var wantedTables: Set<ExactName> = []
    var tablesToLoad: Set<ExactName>? {
        contents.schema == nil ? options.tables?.exactNames : wantedTables
    }
    var provableTables: Set<ExactName> { Set(targets.keys) }
    var needsSurvey: Bool { options.regenerateIDs }

    private let path: String
    private let contents: ArchiveContents
    private let definitions: SQLiteSchema?
    private let options: RestoreOptions
    private let isUTF16: Bool
    private var warnings: [String] = []
    /// The tables that are written, by the archive's name for them.
    private var targets: [ExactName: SQLiteTargetTable] = [:]
    /// The archive's name for each table of the target that is written.
    private var admitted: [SQLiteName: String] = [:]
    private var loaders: [ExactName: SQLiteTableLoader] = [:]
    private var skipped: Set<ExactName> = []
    private var counters: SQLiteCounterLoader?
    private var shift: SQLiteIDShift?
    private var violationsBefore: [SQLiteForeignKeyPair: Int64] = [:]
    private var isInTransaction = false
    /// The tables of the target that hold the content of its virtual tables, in small letters.
    private var shadowTables: Set<SQLiteName> = []

    init(
        path: String, isEmptyFile: Bool, contents: ArchiveContents, definitions: SQLiteSchema?, options: RestoreOptions
    ) throws(BackupError) {
        self.path = path
        self.contents = contents
        self.definitions = definitions
        self.options = options
        connection = try SQLiteConnection(path: path, mode: .readWrite, lockTimeout: options.lockTimeout)
        let isEmpty = try connection.integer("SELECT 1 FROM sqlite_schema LIMIT 1") == nil
        guard !isEmpty || options.dataOnly else {
            throw BackupError(
                .target,
                "\(path) exists and holds no tables\(isEmptyFile ? " (it has 0 bytes)" : ""); give a path that does not "
                    + "exist yet, or delete it, and the database is made there")
        }
        isUTF16 = try connection.text("PRAGMA encoding") != "UTF-8"
    }

    func begin() throws {
        connection.interrupt(when: options.isCancelled)
        try connection.execute("PRAGMA synchronous=FULL")
        // What a statement must be able to undo may take more than memory should.
        try connection.execute("PRAGMA temp_store=FILE")
        try connection.configure(SQLITE_DBCONFIG_ENABLE_FKEY, false)
        try connection.configure(SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
        try connection.execute("BEGIN IMMEDIATE")
        isInTransaction = true
        shadowTables = try shadowTablesThere()
        try chooseTables()
        try checkTables()
        var notes: [String] = []
        violationsBefore = try connection.foreignKeyViolations(notes: &notes)
        warnings += notes
        if options.regenerateIDs {
            shift = try SQLiteIDShift(on: connection)
            warnings.append("new ids: references that are not declared as foreign keys are not rewritten")
        }
        try clear()
    }

    // MARK: Which tables

    private func shadowTablesThere() throws(BackupError) -> Set<SQLiteName> {
        let query = "SELECT 1 FROM pragma_table_list WHERE schema='main' AND type='shadow' LIMIT 1"
        guard try connection.integer(query) != nil else { return [] }
        let schema = try SQLiteSchemaReader(connection: connection).read()
        let shadows = SQLiteShadowTables.settled(schema, trustSchema: true).objects.filter { $0.kind == .shadowTable }
        return Set(shadows.map { SQLiteName($0.name) })
    }

    private func chooseTables() throws(BackupError) {
        var chosen = options.tables?.exactNames
        if let definitions, let tables = options.tables {
            chosen = SQLiteChosenSchema.withShadowTables(tables, of: definitions)
        }
        guard let schema = contents.schema else {
            // Names come with the rows.
            wantedTables = chosen ?? []
            return
        }
        let held = schema.tables.map(\.name).exactNames
        let virtualTables = (definitions?.objects ?? []).filter { $0.kind == .virtualTable }.map(\.name).exactNames
        let unknown = (options.tables ?? []).filter { !held.union(virtualTables).contains(ExactName($0)) }
        guard unknown.isEmpty else {
            throw BackupError(
                .notFound,
                "the archive has no rows of a table named \(SQLiteChosenSchema.list(unknown)); see `elder-backup show`")
        }
        for table in schema.tables where chosen?.contains(ExactName(table.name)) ?? true { note(table.name) }
        if let chosen, !chosen.contains("sqlite_sequence"), held.contains("sqlite_sequence") {
            wantedTables.insert("sqlite_sequence")
        }
    }

    /// Takes a table in, or notes why it is left.
    private func note(_ name: String) {
        wantedTables.insert(ExactName(name))
        // Whatever name the target finds its table by.
        let targetName = SQLiteName(name)
        if options.protectedTables.contains(where: { SQLiteName($0) == targetName }) {
            skipped.insert(ExactName(name))
            warnings.append("table \"\(name)\" holds the catalog of backups and is not restored")
        } else if targetName.hasPrefix("sqlite_"), name != "sqlite_sequence" {
            skipped.insert(ExactName(name))
        }
    }

    private func checkTables() throws(BackupError) {
        guard let schema = contents.schema else { return }
        var faults: [String] = []
        for description in schema.tables where isWritten(description.name) {
            let (table, found) = try examine(description)
            faults += found
            if let table {
                targets[ExactName(description.name)] = table
                if let fault = admit(table, for: description.name) { faults.append(fault) }
            }
        }
        guard faults.isEmpty else {
            throw BackupError(.target, "\(path) cannot take the archive's rows: \(faults.joined(separator: "; "))")
        }
    }

    private func isWritten(_ name: String) -> Bool {
        let name = ExactName(name)
        return wantedTables.contains(name) && !skipped.contains(name) && name != "sqlite_sequence"
    }

    /// Gives a table of the target to one of the archive; what is wrong where another one has it.
    private func admit(_ table: SQLiteTargetTable, for name: String) -> String? {
        guard let other = admitted.updateValue(name, forKey: SQLiteName(table.name)) else { return nil }
        return
            "the archive's tables \"\(other)\" and \"\(name)\" are one table there, \"\(table.name)\" (restore one of "
            + "them with --tables)"
    }

    /// The target of a described table, and what is wrong with it.
    private func examine(_ description: TableDescription) throws(BackupError) -> (SQLiteTargetTable?, [String]) {
        let name = description.name
        if let fault = try shadowFault(name) { return (nil, [fault]) }
        guard let table = try ordinaryTable(name) else { return (nil, ["it has no table \"\(name)\""]) }
        let missing = description.columns.map(\.name).filter { table.column($0) == nil }
        var faults: [String] = []
        if !missing.isEmpty { faults.append("its table \"\(name)\" lacks \(SQLiteChosenSchema.list(missing))") }
        let columns = Dictionary(grouping: description.columns.map(\.name), by: SQLiteName.init(_:))
        if let same = columns.values.first(where: { $0.count > 1 }) {
            faults.append("the columns \(SQLiteChosenSchema.list(same)) of table \"\(name)\" are one column there")
        }
        if let fault = try occupied(name) { faults.append(fault) }
        return (table, faults)
    }

    private func ordinaryTable(_ name: String) throws(BackupError) -> SQLiteTargetTable? {
        let isThere = try connection.integer(
            "SELECT 1 FROM sqlite_schema WHERE type='table' AND name=? COLLATE NOCASE AND rootpage>0", name)
        guard isThere != nil else { return nil }
        let stored = try connection.text(
            "SELECT name FROM sqlite_schema WHERE type='table' AND name=? COLLATE NOCASE", name)
        return try SQLiteTargetTable(stored ?? name, on: connection)
    }

    private func isShadow(_ name: String) -> Bool {
        definitions?.objects.contains { $0.kind == .shadowTable && $0.name.isExactly(name) } ?? false
    }

    private func occupied(_ name: String) throws(BackupError) -> String? {
        let isShadow = isShadow(name)
        let isShadowHere = shadowTables.contains(SQLiteName(name))
        guard isShadow == isShadowHere else {
            return isShadow
                ? "its table \"\(name)\" is an ordinary one, in the archive it belongs to a virtual table"
                : "its table \"\(name)\" belongs to a virtual table, in the archive it is an ordinary one"
        }
        if options.clearExisting || options.regenerateIDs || isShadow { return nil }
        guard try connection.integer("SELECT 1 FROM main.\(SQLiteConnection.quote(name)) LIMIT 1") != nil else {
            return nil
        }
        return
            "its table \"\(name)\" holds rows (use --clear-existing to replace them, --regenerate-ids to add to them)"
    }

    /// Content of a virtual table fits only the very same virtual table.
    private func shadowFault(_ name: String) throws(BackupError) -> String? {
        guard let object = definitions?.objects.first(where: { $0.kind == .shadowTable && $0.name.isExactly(name) }),
            let owner = object.owner,
            let virtualTable = definitions?.objects.first(where: {
                $0.kind == .virtualTable && SQLiteName($0.name) == SQLiteName(owner)
            })
        else { return nil }
        let there = try connection.text("SELECT sql FROM sqlite_schema WHERE type='table' AND name=?", owner)
        if there == nil { return "it has no virtual table \"\(owner)\"" }
        guard there.map(ExactName.init(_:)) == virtualTable.sql.map(ExactName.init(_:)) else {
            return "its virtual table \"\(owner)\" is defined otherwise"
        }
        guard !options.regenerateIDs else { return "the rows of virtual table \"\(owner)\" cannot be given new ids" }
        return try holdsRows(owner)
    }

    private func holdsRows(_ virtualTable: String) throws(BackupError) -> String? {
        guard !options.clearExisting,
            try connection.integer("SELECT 1 FROM main.\(SQLiteConnection.quote(virtualTable)) LIMIT 1") != nil
        else { return nil }
        return "its virtual table \"\(virtualTable)\" holds rows (use --clear-existing to replace them)"
    }

    // MARK: Clearing

    private func clear() throws(BackupError) {
        // Where all tables are restored, what others refer to is checked at the end. Nothing cascades meanwhile.
        if options.clearExisting, let chosen = options.tables {
            try SQLiteClearing(tables: chosen + targets.values.map(\.name), on: connection).check()
        }
        for (name, table) in targets {
            guard options.clearExisting || isShadow(name.text) else { continue }
            try connection.execute("DELETE FROM main.\(SQLiteConnection.quote(table.name))")
        }
    }

    // MARK: Loading

    func loader(forTable name: String, description: TableDescription?) throws -> any TableLoader {
        let key = ExactName(name)
        if let known = loaders[key] { return known }
        if name == "sqlite_sequence" { return try counterLoader(description) }
        if contents.schema == nil { try admitForeign(name) }
        guard !skipped.contains(key) else { return SQLiteSkippingLoader() }
        guard let table = targets[key] else {
            throw BackupError(.target, "table \"\(name)\" is not among those that are restored")
        }
        let loader = SQLiteTableLoader(plan(table, description), on: connection)
        loaders[key] = loader
        if let shift, !shift.needsSurvey { try applyShift(shift) }
        return loader
    }

    private func counterLoader(_ description: TableDescription?) throws(BackupError) -> any TableLoader {
        guard let description else { return SQLiteSkippingLoader() }
        if let counters { return counters }
        let loader = SQLiteCounterLoader(description)
        counters = loader
        return loader
    }

    /// A table of an archive without schema: what is told of it is its name.
    private func admitForeign(_ name: String) throws(BackupError) {
        let key = ExactName(name)
        guard targets[key] == nil, !skipped.contains(key) else { return }
        note(name)
        if skipped.contains(key) { return }
        guard let table = try ordinaryTable(name) else {
            throw BackupError(.target, "\(path) cannot take the archive's rows: it has no table \"\(name)\"")
        }
        let taken = admit(table, for: name)
        if let fault = try taken == nil ? occupied(name) : taken {
            throw BackupError(.target, "\(path) cannot take the archive's rows: \(fault)")
        }
        if options.clearExisting {
            try connection.execute("DELETE FROM main.\(SQLiteConnection.quote(table.name))")
        }
        targets[key] = table
    }

    private func plan(_ table: SQLiteTargetTable, _ description: TableDescription?) -> SQLiteTableLoader.Plan {
        var plan: SQLiteTableLoader.Plan
        if let description {
            let targets = description.columns.map { column in
                table.column(column.name).flatMap { $0.isGenerated ? nil : $0.name }
            }
            plan = SQLiteTableLoader.Plan(
                table: table, columns: description.decoderColumns, targets: targets, isForeign: false, isUTF16: isUTF16)
            if contents.source?.engine == "postgresql" { plan.convert(description) }
            if description.rowidKey != nil {
                let keepsRowids = !options.regenerateIDs && table.integerKey == nil
                plan.targets.insert(keepsRowids ? table.rowidName : nil, at: 0)
            }
        } else {
            plan = SQLiteTableLoader.Plan(
                table: table, columns: table.columns.map(SQLiteRowDecoder.Column.init(foreign:)),
                targets: table.columns.map { $0.isGenerated ? nil : $0.name }, isForeign: true, isUTF16: isUTF16)
        }
        if let shift {
            plan.surveyColumns = plan.targets.indices.filter { index in
                plan.targets[index].map { shift.concerns($0, of: table) } ?? false
            }
        }
        return plan
    }

    func endSurvey() throws {
        guard let shift else { return }
        for (name, loader) in loaders {
            guard let table = targets[name] else { continue }
            for (column, survey) in loader.surveyed { shift.note(survey, of: column, in: table) }
        }
        try shift.settle(Array(targets.values), held: contents.schema?.tables.map(\.name))
        try applyShift(shift)
    }

    private func applyShift(_ shift: SQLiteIDShift) throws(BackupError) {
        for (name, loader) in loaders {
            guard let table = targets[name] else { continue }
            loader.setShifts(loader.targets.map { $0.map { shift.offset(of: $0, in: table.name) } ?? 0 })
        }
    }

    // MARK: The end

    func finishLoading() throws -> LoadReport {
        for loader in loaders.values { loader.finish() }
        try raiseCounters()
        var notes: [String] = []
        let after = try connection.foreignKeyViolations(notes: &notes)
        let written = Set(targets.values.map { SQLiteName($0.name) })
        for (pair, count) in after.sorted(by: { $0.key < $1.key }) {
            let before = violationsBefore[pair] ?? 0
            if count > before {
                if let words = try shift?.dangling(pair) { throw BackupError(.target, words) }
                throw BackupError(
                    .target,
                    "\(count - before) rows of table \"\(pair.child)\" would refer to rows of "
                        + "\"\(pair.parent)\" that are not there; restore both tables together")
            }
            // Which of them were there before cannot be told once rows were replaced.
            if written.contains(pair.child) {
                warnings.append("table \"\(pair.child)\": \(count) foreign keys have no parent in \"\(pair.parent)\"")
            }
        }
        try warnOfTriggers()
        return LoadReport(warnings: warnings)
    }

    /// Whoever restores all tables has what triggers maintain in other tables as well; whoever restores some has not.
    private func warnOfTriggers() throws(BackupError) {
        guard options.tables != nil || contents.schema == nil else { return }
        for name in targets.values.map(\.name).sorted() {
            let query = "SELECT count(*) FROM main.sqlite_schema WHERE type='trigger' AND tbl_name=? COLLATE NOCASE"
            guard let count = try connection.integer(query, name), count > 0 else { continue }
            warnings.append(
                "the triggers of table \"\(name)\" (\(count)) were not run: rebuild what they maintain elsewhere, "
                    + "such as a full-text index")
        }
    }

    /// A counter never goes back: an id that was given once is not given again.
    private func raiseCounters() throws(BackupError) {
        guard let counters, try connection.integer("SELECT 1 FROM sqlite_schema WHERE name='sqlite_sequence'") != nil
        else { return }
        for (name, archived) in counters.values {
            guard let table = targets[name], let key = table.integerKey,
                try connection.countsIDs(of: table.name)
            else { continue }
            let offset = shift?.offset(of: key, in: table.name) ?? 0
            let (value, overflow) = archived.addingReportingOverflow(offset)
            let counter = overflow ? Int64.max : value
            let known = try connection.integer("SELECT max(seq) FROM main.sqlite_sequence WHERE name=?", table.name)
            if let known, known >= counter { continue }
            let sql =
                known == nil
                ? "INSERT INTO main.sqlite_sequence(seq,name) VALUES(?,?)"
                : "UPDATE main.sqlite_sequence SET seq=? WHERE name=?"
            let statement = try connection.prepare(sql)
            statement.bind(counter, at: 1)
            statement.bind(table.name, at: 2)
            try statement.step()
        }
    }

    func commit() throws {
        try connection.execute("COMMIT")
        isInTransaction = false
        connection.close()
    }

    func rollback() {
        for loader in loaders.values { loader.finish() }
        if isInTransaction {
            // It fails where SQLite has rolled back by itself; closing does it in any case.
            _ = try? connection.execute("ROLLBACK")
            isInTransaction = false
            // After a failed write (a full disk) SQLite leaves the journal to the next reader. That is this one, so
            // that the file itself is as it was, not only for those who may write it.
            _ = try? connection.integer("SELECT count(*) FROM sqlite_schema")
        }
        connection.close()
    }
}
