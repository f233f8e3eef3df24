internal import BackupCore
internal import Foundation
internal import GRDB

/// The catalog in a SQLite file: one of its own, or the application's database.
///
/// The journal mode is left as the file has it, and a new file keeps SQLite's rollback journal: a process that is
/// killed leaves at most a journal, which the next open rolls back. Commits are synchronous (`FULL`). Foreign keys are
/// not enforced on this connection: where Elder's tables declare `ON DELETE CASCADE`, deleting a job would otherwise
/// delete the records of its backups.
package final class SQLiteCatalog: CatalogStore {
    /// The catalog's own tables, which a restore must never overwrite where the catalog lives in the database that is
    /// backed up.
    package static let tables: Set<String> = Set(CatalogSchema.tables.map(\.name))

    /// Columns of the catalog's tables that hold secrets and are never dumped, by table.
    package static let secretColumns: [String: Set<String>] = [
        "backup_jobs": ["s3_access_key", "s3_secret_key", "source_secret", "ping_secret"], "api_tokens": ["hash"],
    ]

    /// How long a call waits for another process's transaction.
    private static let busyTimeout: TimeInterval = 30

    package let path: String
    let queue: DatabaseQueue
    /// The keys of the secrets in it.
    let keyring: SecretKeyring

    private init(path: String, queue: DatabaseQueue, keyring: SecretKeyring) {
        self.path = path
        self.queue = queue
        self.keyring = keyring
    }

    /// Opens the catalog at `path`; makes it, with its directory, where there is none.
    ///
    /// - Parameters:
    ///   - path: of a SQLite file, absolute or relative.
    ///   - migrate: whether tables that someone else made, or an older version, may be brought up to date.
    ///   - keyring: the keys of its secrets; those of the file `secret.key` beside it when nil.
    /// - Throws: `catalog` where the file cannot be used, needs `catalog migrate` first, or was made by a newer version.
    package static func open(path: String, migrate: Bool, keyring: SecretKeyring? = nil) throws -> SQLiteCatalog {
        try openReportingChanges(path: path, migrate: migrate, keyring: keyring).catalog
    }

    /// Brings the catalog at `path` up to date in one transaction, then encrypts the secrets that stand in it in plain
    /// text, and returns what was changed, each a line; nothing where it was up to date. Existing rows stay as they are
    /// otherwise.
    package static func migrate(path: String, keyring: SecretKeyring? = nil) throws -> [String] {
        let (catalog, changes) = try openReportingChanges(path: path, migrate: true, keyring: keyring)
        return try changes + catalog.sealPlainSecrets()
    }

    private static func openReportingChanges(
        path: String, migrate: Bool, keyring: SecretKeyring?
    ) throws -> (catalog: SQLiteCatalog, changes: [String]) {
        let path = CatalogFile.absolute(path)
        try CatalogFile.prepare(path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.foreignKeysEnabled = false
        configuration.label = "catalog"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous=FULL")
            // What is overwritten may be a secret.
            try database.execute(sql: "PRAGMA secure_delete=ON")
        }
        return try CatalogErrors.mapped(path: path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let catalog = SQLiteCatalog(
                path: path, queue: queue, keyring: keyring ?? SecretKeyring(besideCatalog: path))
            return (catalog, try catalog.bringUpToDate(migrate: migrate))
        }
    }

    private func bringUpToDate(migrate: Bool) throws -> [String] {
        // The usual case takes no write lock.
        let isCurrent = try queue.read { database in
            try CatalogSchema.upgrade(database, path: path, apply: false).isEmpty
                && (!migrate || CatalogIndexes.missing(in: database).isEmpty)
        }
        if isCurrent { return [] }
        return try queue.write { database in
            // What was read just now may have been made by another process meanwhile.
            database.clearSchemaCache()
            let pending = try CatalogSchema.upgrade(database, path: path, apply: false)
            if pending.isEmpty { return migrate ? try CatalogIndexes.add(to: database) : [] }
            guard try migrate || CatalogSchema.isEmpty(database) else {
                throw BackupError(
                    .catalog,
                    "the catalog \(path) is not in this version's form (\(CatalogSchema.summary(of: pending))): run "
                        + "`elder-backup catalog migrate`, which adds what is missing and changes nothing that is there"
                )
            }
            return try CatalogSchema.upgrade(database, path: path, apply: true)
        }
    }

    /// Reads in one transaction.
    ///
    /// Not by `queue.read`: it forbids writing by `PRAGMA query_only`, which makes SQLite compile every statement anew.
    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try CatalogErrors.mapped(path: path) {
            try queue.inDatabase { database in
                var value: Value?
                try database.inTransaction(.deferred) {
                    value = try body(database)
                    return .commit
                }
                guard let value else { throw BackupError(.internal, "a transaction of the catalog did not run") }
                return value
            }
        }
    }

    /// Writes in one transaction, which excludes other writers from its beginning.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try CatalogErrors.mapped(path: path) { try queue.write(body) }
    }

    package func installationID() throws -> String {
        let value = try read {
            try String.fetchOne($0, sql: "SELECT value FROM elder_backup_meta WHERE key = 'installation_id'")
        }
        guard let value, !value.isEmpty else {
            throw BackupError(
                .catalog, "the catalog \(path) lacks its installation id: run `elder-backup catalog migrate`")
        }
        return value
    }
}
