internal import BackupCore
internal import CSQLite

/// Rebuilds a schema from its definitions, one statement at a time, under an authorizer (`docs/restore.md`).
final class SQLiteSchemaReplay {
    /// What departs from the source without harm, each a line.
    private(set) var notes: [String] = []

    private let schema: SQLiteSchema
    private let connection: SQLiteConnection
    private let authorizer: SQLiteAuthorizer
    private let trustSchema: Bool
    private let shadowTables: [SQLiteName: SQLiteSchema.Object]
    /// What the modules made.
    private var shadowTablesMade: Set<SQLiteName> = []
    private let virtualNames: [SQLiteName]

    /// - Parameter connection: to a database without any object, whose settings were made by ``prepare(_:for:)``.
    init(_ schema: SQLiteSchema, on connection: SQLiteConnection, trustSchema: Bool) throws(BackupError) {
        self.schema = schema
        self.connection = connection
        self.trustSchema = trustSchema
        authorizer = try SQLiteAuthorizer(on: connection, trustsSchema: trustSchema)
        var shadowTables: [SQLiteName: SQLiteSchema.Object] = [:]
        for object in schema.objects where object.kind == .shadowTable {
            shadowTables[SQLiteName(object.name)] = object
        }
        self.shadowTables = shadowTables
        virtualNames = schema.objects.filter { $0.kind == .virtualTable }.map { SQLiteName($0.name) }
        // What a definition may use the authorizer decides.
        try connection.configure(SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)
        try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, true)
        sqlite3_limit(connection.handle, SQLITE_LIMIT_ATTACHED, 0)
    }

    deinit { authorizer.remove() }

    /// Gives a database that is still empty the settings that can be made only then.
    static func prepare(_ connection: SQLiteConnection, for schema: SQLiteSchema) throws(BackupError) {
        let size = schema.pageSize
        guard ["UTF-8", "UTF-16le", "UTF-16be"].contains(schema.encoding), (512...65536).contains(size),
            size & (size - 1) == 0, (0...255).contains(schema.reservedBytes), (0...2).contains(schema.autoVacuum)
        else {
            throw BackupError(
                .damaged, "the archive's schema has an encoding, page size, auto_vacuum or reserve that SQLite lacks")
        }
        try connection.execute("PRAGMA encoding='\(schema.encoding)'")
        try connection.execute("PRAGMA page_size=\(size)")
        var reserve = Int32(schema.reservedBytes)
        let status = sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve)
        guard status == SQLITE_OK else { throw connection.error(status) }
        try connection.execute("PRAGMA auto_vacuum=\(schema.autoVacuum)")
        try connection.execute("PRAGMA application_id=\(schema.applicationID)")
        try connection.execute("PRAGMA user_version=\(schema.userVersion)")
        if schema.defaultCacheSize != 0 {
            try connection.execute("PRAGMA default_cache_size=\(schema.defaultCacheSize)")
        }
    }

    /// Rebuilds the schema in a private database, to find what cannot be rebuilt here: a collation, function, module
    /// or tokenizer that this SQLite lacks.
    ///
    /// - Returns: what the user should know, each a line.
    /// - Throws: ``BackupError/Code/unsupported`` with the object's name and SQLite's own words.
    @discardableResult
    static func check(_ schema: SQLiteSchema) throws(BackupError) -> [String] {
        do {
            return try rebuild(schema, trustSchema: false)
        } catch let error {
            // What only a trusted schema may do can still be restored, by saying so.
            guard let notes = try? rebuild(schema, trustSchema: true) else { throw error }
            return notes + ["a restore needs --trust-schema: \(error)"]
        }
    }

    /// The tables, their names in small letters, that the modules of a schema's virtual tables make on creation.
    static func shadowTables(of schema: SQLiteSchema, trustSchema: Bool) throws(BackupError) -> Set<SQLiteName> {
        let connection = try SQLiteConnection(path: "a private database", mode: .memory)
        defer { connection.close() }
        try prepare(connection, for: schema)
        var tables = schema
        // Whatever else the schema holds cannot keep a module from making its tables.
        tables.objects.removeAll { $0.kind == .view || $0.kind == .trigger }
        let replay = try SQLiteSchemaReplay(tables, on: connection, trustSchema: trustSchema)
        try connection.execute("BEGIN")
        try replay.createAllButIndexes()
        return replay.shadowTablesMade
    }

    private static func rebuild(_ schema: SQLiteSchema, trustSchema: Bool) throws(BackupError) -> [String] {
        let connection = try SQLiteConnection(path: "a private database", mode: .memory)
        defer { connection.close() }
        try prepare(connection, for: schema)
        let replay = try SQLiteSchemaReplay(schema, on: connection, trustSchema: trustSchema)
        try connection.execute("BEGIN")
        try replay.createAllButIndexes()
        try replay.createIndexes()
        return replay.notes
    }

    /// Creates everything but indexes (``SQLiteSchemaOrder/creation(of:)``).
    func createAllButIndexes() throws(BackupError) {
        for object in SQLiteSchemaOrder.creation(of: schema.objects) {
            do {
                try create(object)
            } catch let error {
                throw describe(error, object)
            }
        }
        try createSequenceTable()
    }

    func createIndexes() throws(BackupError) {
        for object in schema.objects where object.kind == .index && object.sql != nil {
            do {
                try createPlain(object, as: .index(object.name, table: object.table))
            } catch let error {
                throw describe(error, object)
            }
        }
    }

    private func describe(_ error: BackupError, _ object: SQLiteSchema.Object) -> BackupError {
        let kind = object.kind.rawValue.replacing("_", with: " ")
        if let refusal = authorizer.refusal {
            return BackupError(
                .unsupported,
                "the definition of \(kind) \"\(object.name)\" is refused, because it does more than define: \(refusal)"
                    + (trustSchema ? "" : "; if you trust the archive and it names a module, use --trust-schema"))
        }
        // Words about the database as such (no space, no memory) stay what they are.
        guard error.code == .unsupported else { return error.located("\(kind) \"\(object.name)\"") }
        return BackupError(.unsupported, "\(kind) \"\(object.name)\" cannot be created: \(error.message)")
    }

    private func create(_ object: SQLiteSchema.Object) throws(BackupError) {
        switch object.kind {
        case .table: try createPlain(object, as: .table(object.name))
        case .view: try createPlain(object, as: .view(object.name))
        case .trigger: try createPlain(object, as: .trigger(object.name, table: object.table))
        case .virtualTable: try createVirtual(object)
        case .shadowTable: try createShadow(object)
        case .internalTable: try createInternal(object)
        case .index: break
        }
    }

    // MARK: Kinds of objects

    private func createPlain(
        _ object: SQLiteSchema.Object, as statement: SQLiteAuthorizer.Statement
    ) throws(BackupError) {
        let before = try lastRow()
        try undefended(looksLikeShadow(object)) { () throws(BackupError) in
            try run(try definition(of: object), as: statement)
        }
        let type = object.kind == .shadowTable ? "table" : object.kind.rawValue
        let made = try rows(after: before).filter { !$0.isAutomatic(for: object.name) }
        guard made == [Row(type: type, name: object.name, table: object.table, sql: object.sql)] else {
            throw BackupError(.unsupported, "its definition makes something else than what it is recorded as")
        }
    }

    /// Whether SQLite keeps the name for a module (``SQLiteShadowTables``).
    private func looksLikeShadow(_ object: SQLiteSchema.Object) -> Bool {
        let names = [SQLiteName(object.name), SQLiteName(object.table)]
        return virtualNames.contains { owner in names.contains { $0.isShadow(of: owner) } }
    }

    /// Lets one definition use such a name; what it may do, the authorizer still decides.
    private func undefended(_ applies: Bool, _ body: () throws(BackupError) -> Void) throws(BackupError) {
        var wasDefensive: Int32 = 0
        let status = eb_sqlite3_db_config_flag(connection.handle, SQLITE_DBCONFIG_DEFENSIVE, -1, &wasDefensive)
        guard status == SQLITE_OK else { throw connection.error(status) }
        guard applies, wasDefensive != 0 else { return try body() }
        try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, false)
        try body()
        try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, true)
    }

    private func createVirtual(_ object: SQLiteSchema.Object) throws(BackupError) {
        let before = try lastRow()
        try run(try definition(of: object), as: .virtualTable(object.name))
        let made = try rows(after: before)
        guard let first = made.first,
            first == Row(type: "table", name: object.name, table: object.table, sql: object.sql)
        else {
            throw BackupError(.unsupported, "its definition makes something else than what it is recorded as")
        }
        for row in made.dropFirst() where row.type == "table" {
            guard SQLiteName(row.name).isShadow(of: SQLiteName(object.name)) else {
                throw BackupError(.unsupported, "its module makes a table that is not its own: \"\(row.name)\"")
            }
            shadowTablesMade.insert(SQLiteName(row.name))
            try compareShadow(row)
        }
    }

    /// A shadow table that its module did not make on creation: it was made later, when it was first needed.
    private func createShadow(_ object: SQLiteSchema.Object) throws(BackupError) {
        let exists = try connection.integer("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?", object.name)
        guard exists == nil else { return }
        try createPlain(object, as: .table(object.name))
    }

    private func compareShadow(_ row: Row) throws(BackupError) {
        guard let recorded = shadowTables[SQLiteName(row.name)] else {
            notes.append("table \"\(row.name)\", which its module makes, is not in the source: it stays as it was made")
            return
        }
        guard recorded.sql.map(ExactName.init(_:)) != row.sql.map(ExactName.init(_:)) else { return }
        // A virtual table that was renamed has shadow tables whose names are quoted in another way. Renaming them
        // away and back gives the same text.
        try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, false)
        try connection.configure(SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, true)
        let name = SQLiteConnection.quote(row.name)
        let other = SQLiteConnection.quote(row.name + "_renamed")
        try connection.execute("ALTER TABLE main.\(name) RENAME TO \(other)")
        try connection.execute("ALTER TABLE main.\(other) RENAME TO \(name)")
        try connection.configure(SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, false)
        try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, true)
        let made = try connection.text("SELECT sql FROM sqlite_schema WHERE type='table' AND name=?", row.name)
        if made.map(ExactName.init(_:)) != recorded.sql.map(ExactName.init(_:)) {
            notes.append("table \"\(row.name)\" is defined as its module here defines it, not as in the source")
        }
    }

    private func createInternal(_ object: SQLiteSchema.Object) throws(BackupError) {
        switch object.name {
        case "sqlite_sequence":
            // The first table with AUTOINCREMENT makes it.
            return
        case "sqlite_stat1":
            try connection.execute("ANALYZE main")
            try connection.execute("DELETE FROM main.sqlite_stat1")
        default:
            throw BackupError(.unsupported, "it is a table of SQLite's own that is not known here")
        }
        let made = try connection.text("SELECT sql FROM sqlite_schema WHERE type='table' AND name=?", object.name)
        guard made == object.sql else {
            throw BackupError(.unsupported, "this SQLite defines it otherwise: \(made ?? "not at all")")
        }
    }

    /// The table of counters outlives the last table that counts.
    private func createSequenceTable() throws(BackupError) {
        guard schema.objects.contains(where: { $0.kind == .internalTable && $0.name == "sqlite_sequence" }),
            try connection.integer("SELECT 1 FROM sqlite_schema WHERE name='sqlite_sequence'") == nil
        else { return }
        let taken = Set(schema.objects.map { SQLiteName($0.name) })
        var name = "counted"
        while taken.contains(SQLiteName(name)) { name += "_" }
        try connection.execute("CREATE TABLE \(name)(id INTEGER PRIMARY KEY AUTOINCREMENT)")
        try connection.execute("DROP TABLE \(name)")
    }

    // MARK: One statement

    private func definition(of object: SQLiteSchema.Object) throws(BackupError) -> String {
        guard let sql = object.sql else { throw BackupError(.unsupported, "it has no definition") }
        guard !sql.utf8.contains(0) else { throw BackupError(.unsupported, "its definition holds a NUL character") }
        return sql
    }

    private func run(_ sql: String, as statement: SQLiteAuthorizer.Statement) throws(BackupError) {
        authorizer.refusal = nil
        authorizer.statement = statement
        defer { authorizer.statement = .own }
        var handle: OpaquePointer?
        defer { sqlite3_finalize(handle) }
        var isAlone = false
        let status = sql.withCString { start in
            var tail: UnsafePointer<CChar>?
            let status = sqlite3_prepare_v2(connection.handle, start, -1, &handle, &tail)
            isAlone = tail.map(SQLiteSchemaReplay.isBlank) ?? true
            return status
        }
        guard status == SQLITE_OK else { throw failure(status) }
        guard isAlone, let handle else {
            throw BackupError(.unsupported, "its definition is not exactly one statement")
        }
        let outcome = sqlite3_step(handle)
        if outcome == SQLITE_ROW {
            throw BackupError(.unsupported, "its definition is a query")
        }
        guard outcome == SQLITE_DONE else { throw failure(outcome) }
    }

    /// SQLite's own words where the statement is at fault.
    private func failure(_ status: Int32) -> BackupError {
        let isStatement = [SQLITE_ERROR, SQLITE_AUTH].contains(status & 0xFF)
        guard isStatement else { return connection.error(status) }
        return BackupError(.unsupported, String(cString: sqlite3_errmsg(connection.handle)))
    }

    /// Whether nothing but white space, semicolons and comments follows.
    private static func isBlank(_ text: UnsafePointer<CChar>) -> Bool {
        var rest = text
        while true {
            switch UInt8(bitPattern: rest[0]) {
            case 0: return true
            case 0x20, 0x09, 0x0A, 0x0C, 0x0D, 0x3B: rest += 1
            case 0x2D where rest[1] == 0x2D:
                while rest[0] != 0, rest[0] != 0x0A { rest += 1 }
            case 0x2F where rest[1] == 0x2A:
                rest += 2
                while rest[0] != 0, !(rest[0] == 0x2A && rest[1] == 0x2F) { rest += 1 }
                if rest[0] != 0 { rest += 2 }
            default: return false
            }
        }
    }

    // MARK: What is there

    private struct Row: Equatable {
        var type: String
        var name: String
        var table: String
        var sql: String?

        /// Whether SQLite makes such an object by itself along with the table.
        func isAutomatic(for table: String) -> Bool {
            if type == "index" {
                return sql == nil && SQLiteName(self.table) == SQLiteName(table)
                    && SQLiteName(name).hasPrefix("sqlite_autoindex_")
            }
            return type == "table" && name == "sqlite_sequence"
        }

        /// The table of a trigger stands in `sqlite_schema` as its definition spells it.
        static func == (left: Row, right: Row) -> Bool {
            left.type == right.type && left.name.isExactly(right.name)
                && SQLiteName(left.table) == SQLiteName(right.table)
                && left.sql.map(ExactName.init(_:)) == right.sql.map(ExactName.init(_:))
        }
    }

    private func lastRow() throws(BackupError) -> Int64 {
        try connection.integer("SELECT max(rowid) FROM sqlite_schema") ?? 0
    }

    private func rows(after rowid: Int64) throws(BackupError) -> [Row] {
        let statement = try connection.prepare(
            "SELECT type,name,tbl_name,sql FROM sqlite_schema WHERE rowid>? ORDER BY rowid")
        statement.bind(rowid, at: 1)
        var rows: [Row] = []
        while try statement.step() {
            rows.append(
                Row(
                    type: try statement.text(0) ?? "", name: try statement.text(1) ?? "",
                    table: try statement.text(2) ?? "", sql: try statement.text(3)))
        }
        return rows
    }
}
