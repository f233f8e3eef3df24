internal import BackupCore
internal import CSQLite

/// Decides what a definition from an archive may do (https://sqlite.org/c3ref/set_authorizer.html).
///
/// SQLite asks it for every action of a statement that is compiled, also for those that a module compiles while it
/// creates its shadow tables.
final class SQLiteAuthorizer {
    /// The statement that is being compiled.
    enum Statement {
        /// One of our own.
        case own
        case table(String)
        case virtualTable(String)
        case index(String, table: String)
        case view(String)
        case trigger(String, table: String)
    }

    /// Modules that keep to the tables that they make, and are part of SQLite itself.
    static let knownModules: Set<String> = ["fts3", "fts4", "fts5", "fts5vocab", "rtree", "rtree_i32", "geopoly"]
    /// Functions that reach beyond the database, refused whatever is trusted.
    private static let dangerousFunctions: Set<String> = ["load_extension", "fts3_tokenizer"]

    var statement = Statement.own
    /// What was refused since this was last set to nil.
    var refusal: String?
    private let trustsSchema: Bool
    private let refusedFunctions: Set<String>
    private let connection: SQLiteConnection

    init(on connection: SQLiteConnection, trustsSchema: Bool) throws(BackupError) {
        self.connection = connection
        self.trustsSchema = trustsSchema
        refusedFunctions = SQLiteAuthorizer.dangerousFunctions.union(
            trustsSchema ? [] : try SQLiteAuthorizer.suspiciousFunctions(on: connection))
        sqlite3_set_authorizer(
            connection.handle,
            { context, action, first, second, database, _ in
                guard let context else { return SQLITE_DENY }
                let authorizer = Unmanaged<SQLiteAuthorizer>.fromOpaque(context).takeUnretainedValue()
                let text = { (pointer: UnsafePointer<CChar>?) in pointer.map { String(cString: $0) } }
                return authorizer.decide(action, text(first), text(second), text(database))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// The functions that SQLite does not hold harmless (https://sqlite.org/c3ref/c_deterministic.html).
    ///
    /// `PRAGMA trusted_schema=OFF` would refuse the same, and with SQLite 3.38 to 3.40 the JSON functions too, which
    /// those versions mark wrongly and which many a schema uses.
    private static func suspiciousFunctions(on connection: SQLiteConnection) throws(BackupError) -> [String] {
        try connection.texts("SELECT DISTINCT name FROM pragma_function_list WHERE NOT flags & \(SQLITE_INNOCUOUS)")
            .filter { !$0.hasPrefix("json") && $0 != "->" && $0 != "->>" }
    }

    /// Takes the authorizer off the connection. It must be called before the authorizer goes.
    func remove() {
        sqlite3_set_authorizer(connection.handle, nil, nil)
    }

    private func decide(_ action: Int32, _ first: String?, _ second: String?, _ database: String?) -> Int32 {
        if case .own = statement { return SQLITE_OK }
        if isAllowed(action, first, second, database) { return SQLITE_OK }
        let name = SQLiteAuthorizer.names[action] ?? "action \(action)"
        refusal = ([name] + [first, second].compactMap { $0 }).joined(separator: " ")
        return SQLITE_DENY
    }

    private func isAllowed(_ action: Int32, _ first: String?, _ second: String?, _ database: String?) -> Bool {
        if action == SQLITE_FUNCTION {
            return !refusedFunctions.contains(asciiLowercased(second ?? ""))
        }
        // A definition may spell the name of its table in another case than the table's own.
        let firstName = first.map(SQLiteName.init(_:))
        let secondName = second.map(SQLiteName.init(_:))
        // A definition names columns and writes its own row of the schema.
        let isSchema = first == "sqlite_master" || first == "sqlite_schema"
        if database == "main" || database == nil {
            if action == SQLITE_READ { return true }
            if isSchema, action == SQLITE_INSERT || action == SQLITE_UPDATE { return true }
        }
        switch statement {
        case .own:
            return true
        case .table(let name):
            guard database == "main" else { return false }
            if action == SQLITE_CREATE_TABLE { return firstName == SQLiteName(name) || first == "sqlite_sequence" }
            return action == SQLITE_CREATE_INDEX && secondName == SQLiteName(name)
                && firstName?.hasPrefix("sqlite_autoindex_") == true
        case .index(let name, let table):
            if action == SQLITE_REINDEX { return firstName == SQLiteName(name) }
            return action == SQLITE_CREATE_INDEX && firstName == SQLiteName(name) && secondName == SQLiteName(table)
                && database == "main"
        case .view(let name):
            return action == SQLITE_CREATE_VIEW && firstName == SQLiteName(name) && database == "main"
        case .trigger(let name, let table):
            return action == SQLITE_CREATE_TRIGGER && firstName == SQLiteName(name) && secondName == SQLiteName(table)
                && database == "main"
        case .virtualTable(let name):
            return isAllowedToModule(of: SQLiteName(name), action, first, second, database)
        }
    }

    /// A module makes, fills and compiles statements for tables whose names begin with its table's.
    private func isAllowedToModule(
        of name: SQLiteName, _ action: Int32, _ first: String?, _ second: String?, _ database: String?
    ) -> Bool {
        switch action {
        case SQLITE_CREATE_VTABLE:
            return first.map(SQLiteName.init(_:)) == name && database == "main"
                && (trustsSchema || SQLiteAuthorizer.knownModules.contains(asciiLowercased(second ?? "")))
        case SQLITE_SELECT:
            return true
        case SQLITE_PRAGMA:
            return (first == "page_size" || first == "data_version") && second == nil
        case SQLITE_CREATE_TABLE, SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE:
            return database == "main" && first.map({ SQLiteName($0).isShadow(of: name) }) == true
        case SQLITE_CREATE_INDEX:
            return database == "main" && second.map({ SQLiteName($0).isShadow(of: name) }) == true
        default:
            return false
        }
    }

    private static let names: [Int32: String] = [
        SQLITE_CREATE_INDEX: "CREATE INDEX", SQLITE_CREATE_TABLE: "CREATE TABLE",
        SQLITE_CREATE_TEMP_INDEX: "CREATE TEMP INDEX", SQLITE_CREATE_TEMP_TABLE: "CREATE TEMP TABLE",
        SQLITE_CREATE_TEMP_TRIGGER: "CREATE TEMP TRIGGER", SQLITE_CREATE_TEMP_VIEW: "CREATE TEMP VIEW",
        SQLITE_CREATE_TRIGGER: "CREATE TRIGGER", SQLITE_CREATE_VIEW: "CREATE VIEW", SQLITE_DELETE: "DELETE FROM",
        SQLITE_DROP_INDEX: "DROP INDEX", SQLITE_DROP_TABLE: "DROP TABLE", SQLITE_DROP_TRIGGER: "DROP TRIGGER",
        SQLITE_DROP_VIEW: "DROP VIEW", SQLITE_INSERT: "INSERT INTO", SQLITE_PRAGMA: "PRAGMA", SQLITE_READ: "reading",
        SQLITE_SELECT: "SELECT", SQLITE_TRANSACTION: "transaction", SQLITE_UPDATE: "UPDATE", SQLITE_ATTACH: "ATTACH",
        SQLITE_DETACH: "DETACH", SQLITE_ALTER_TABLE: "ALTER TABLE", SQLITE_REINDEX: "REINDEX",
        SQLITE_ANALYZE: "ANALYZE", SQLITE_CREATE_VTABLE: "CREATE VIRTUAL TABLE", SQLITE_DROP_VTABLE: "DROP TABLE",
        SQLITE_FUNCTION: "function", SQLITE_SAVEPOINT: "SAVEPOINT", SQLITE_RECURSIVE: "recursive query",
    ]
}
