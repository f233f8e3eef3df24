internal import BackupCore
internal import Foundation
internal import GRDB

/// The catalog's tables, and how tables that someone else made are brought into their form.
enum CatalogSchema {
    /// The form that this program reads and writes; `schema_version` in `elder_backup_meta`.
    static let version = 6

    struct Column {
        let name: String
        let type: String
        /// What a new table adds to the type; an existing one gets the bare type, since its rows have no value yet.
        var constraint = ""
        /// A table that lacks this column is not a catalog's, so nothing is added to it.
        var essential = false
    }

    struct Table {
        let name: String
        let columns: [Column]
    }

    static let tables = [jobs, backups, copies, tokens, audit, meta]

    /// Elder's columns in Elder's order, then ours.
    private static let jobs = Table(
        name: "backup_jobs",
        columns: [
            Column(name: "id", type: "INTEGER", constraint: "PRIMARY KEY AUTOINCREMENT", essential: true),
            Column(name: "name", type: "VARCHAR(255)", constraint: "NOT NULL UNIQUE", essential: true),
            Column(name: "schedule", type: "VARCHAR(255)"),
            Column(name: "retention_days", type: "INTEGER", constraint: "NOT NULL DEFAULT 30"),
            Column(name: "enabled", type: "BOOLEAN", constraint: "NOT NULL DEFAULT 1"),
            Column(name: "description", type: "TEXT"),
            Column(name: "config_json", type: "TEXT"),
            Column(name: "s3_enabled", type: "BOOLEAN", constraint: "NOT NULL DEFAULT 0"),
            Column(name: "s3_endpoint", type: "TEXT"),
            Column(name: "s3_bucket", type: "TEXT"),
            Column(name: "s3_region", type: "TEXT"),
            Column(name: "s3_access_key", type: "TEXT"),
            Column(name: "s3_secret_key", type: "TEXT"),
            Column(name: "s3_prefix", type: "TEXT"),
            Column(name: "last_run_at", type: "TIMESTAMP"),
            Column(name: "created_at", type: "TIMESTAMP"),
            Column(name: "updated_at", type: "TIMESTAMP"),
            Column(name: "uuid", type: "TEXT", constraint: "UNIQUE"),
            Column(name: "source_url", type: "TEXT"),
            Column(name: "time_zone", type: "TEXT"),
            Column(name: "retention_json", type: "TEXT"),
            Column(name: "s3_choice", type: "TEXT"),
            Column(name: "source_secret", type: "TEXT"),
            Column(name: "ping_secret", type: "TEXT"),
            Column(name: "schedule_changed_at", type: "TIMESTAMP"),
            Column(name: "missed_at", type: "TIMESTAMP"),
        ]
    )

    private static let backups = Table(
        name: "backups",
        columns: [
            Column(name: "id", type: "INTEGER", constraint: "PRIMARY KEY AUTOINCREMENT", essential: true),
            Column(name: "job_id", type: "INTEGER", constraint: "NOT NULL", essential: true),
            Column(name: "filename", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "file_path", type: "TEXT", essential: true),
            Column(name: "file_size", type: "INTEGER"),
            Column(name: "record_count", type: "INTEGER"),
            Column(name: "status", type: "VARCHAR(50)", constraint: "NOT NULL", essential: true),
            Column(name: "error_message", type: "TEXT"),
            Column(name: "started_at", type: "TIMESTAMP"),
            Column(name: "completed_at", type: "TIMESTAMP"),
            Column(name: "duration_seconds", type: "DOUBLE"),
            Column(name: "s3_url", type: "TEXT"),
            Column(name: "s3_key", type: "TEXT"),
            Column(name: "created_at", type: "TIMESTAMP"),
            Column(name: "updated_at", type: "TIMESTAMP"),
            Column(name: "sha256", type: "TEXT"),
            Column(name: "verified_at", type: "TIMESTAMP"),
            Column(name: "local_state", type: "TEXT"),
            Column(name: "process_host", type: "TEXT"),
            Column(name: "process_pid", type: "INTEGER"),
            Column(name: "process_start", type: "TEXT"),
            Column(name: "source_identity", type: "TEXT"),
            Column(name: "source_scope", type: "TEXT"),
        ]
    )

    /// One row for each backup and store.
    private static let copies = Table(
        name: "backup_copies",
        columns: [
            Column(name: "id", type: "INTEGER", constraint: "PRIMARY KEY AUTOINCREMENT", essential: true),
            Column(name: "backup_id", type: "INTEGER", constraint: "NOT NULL", essential: true),
            Column(name: "store", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "state", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "owner", type: "TEXT"),
            Column(name: "endpoint", type: "TEXT"),
            Column(name: "bucket", type: "TEXT"),
            Column(name: "object_key", type: "TEXT"),
            Column(name: "url", type: "TEXT"),
            Column(name: "version_id", type: "TEXT"),
            Column(name: "manifest_version_id", type: "TEXT"),
            Column(name: "etag", type: "TEXT"),
            Column(name: "size", type: "INTEGER"),
            Column(name: "storage_class", type: "TEXT"),
            Column(name: "encryption", type: "TEXT"),
            Column(name: "locked_until", type: "TIMESTAMP"),
            Column(name: "proof", type: "TEXT"),
            Column(name: "upload_id", type: "TEXT"),
            Column(name: "upload_part_size", type: "INTEGER"),
            Column(name: "upload_token", type: "TEXT"),
            Column(name: "upload_started_at", type: "TIMESTAMP"),
            Column(name: "error_message", type: "TEXT"),
            Column(name: "attempts", type: "INTEGER"),
            Column(name: "created_at", type: "TIMESTAMP"),
            Column(name: "updated_at", type: "TIMESTAMP"),
            Column(name: "verified_at", type: "TIMESTAMP"),
        ]
    )

    /// One row for each API token.
    private static let tokens = Table(
        name: "api_tokens",
        columns: [
            Column(name: "id", type: "INTEGER", constraint: "PRIMARY KEY AUTOINCREMENT", essential: true),
            Column(name: "name", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "role", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "hash", type: "TEXT", constraint: "NOT NULL UNIQUE", essential: true),
            Column(name: "created_at", type: "TIMESTAMP"),
            Column(name: "expires_at", type: "TIMESTAMP"),
            Column(name: "last_used_at", type: "TIMESTAMP"),
            Column(name: "revoked_at", type: "TIMESTAMP"),
        ]
    )

    private static let meta = Table(
        name: "elder_backup_meta",
        columns: [
            Column(name: "key", type: "TEXT", constraint: "PRIMARY KEY NOT NULL", essential: true),
            Column(name: "value", type: "TEXT", constraint: "NOT NULL", essential: true),
        ]
    )

    /// Whether the database holds nothing at all.
    static func isEmpty(_ database: Database) throws -> Bool {
        try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0
    }

    /// Finds what the database lacks, adds it if told to, and returns it, each change a line.
    ///
    /// - Throws: `catalog` for a newer form, and for tables of the same name that are not a catalog's.
    static func upgrade(_ database: Database, path: String, apply: Bool) throws -> [String] {
        try refuseNewer(database, path: path)
        var changes: [String] = []
        for table in tables {
            if try database.tableExists(table.name) {
                changes += try addColumns(to: table, in: database, apply: apply)
            } else {
                changes.append("created the table \(table.name)")
                if apply { try create(table, in: database) }
            }
        }
        changes += try identifyJobs(in: database, apply: apply)
        changes += try addMeta(in: database, apply: apply)
        // Lists are right without them, only slow: no reason to ask for a migration.
        if apply { changes += try CatalogIndexes.add(to: database) }
        return changes
    }

    /// The first of the changes, so that a message stays one line of readable length.
    static func summary(of changes: [String]) -> String {
        let shown = changes.prefix(3).joined(separator: ", ")
        return "not yet " + (changes.count > 3 ? shown + " and \(changes.count - 3) more" : shown)
    }

    private static func refuseNewer(_ database: Database, path: String) throws {
        guard try database.tableExists("elder_backup_meta") else { return }
        let text = try String.fetchOne(
            database, sql: "SELECT value FROM elder_backup_meta WHERE key = 'schema_version'")
        guard let text else { return }
        guard let found = Int(text) else {
            throw BackupError(
                .catalog, "the schema_version of the catalog \(path) is \"\(text.prefix(40))\", which is not a number")
        }
        guard found <= version else {
            throw BackupError(
                .catalog,
                "the catalog \(path) was made by a newer elder-backup (schema \(found), this one knows \(version)): "
                    + "upgrade elder-backup"
            )
        }
    }

    private static func create(_ table: Table, in database: Database) throws {
        let columns = table.columns.map { column in
            column.constraint.isEmpty
                ? "\(column.name) \(column.type)" : "\(column.name) \(column.type) \(column.constraint)"
        }
        try database.execute(sql: "CREATE TABLE \(table.name) (\n    \(columns.joined(separator: ",\n    "))\n)")
        if table.name == "backups" {
            try database.execute(sql: "CREATE INDEX backups_filename ON backups(filename)")
        }
        if table.name == copies.name {
            try database.execute(sql: "CREATE UNIQUE INDEX backup_copies_store ON backup_copies(backup_id, store)")
        }
    }

    private static func addColumns(to table: Table, in database: Database, apply: Bool) throws -> [String] {
        let present = try database.columns(in: table.name)
        let names = Set(present.map { $0.name.lowercased() })
        if let lacking = table.columns.first(where: { $0.essential && !names.contains($0.name) }) {
            throw BackupError(
                .catalog,
                "the table \(table.name) is not a backup catalog's: it has no column \(lacking.name); "
                    + "give BACKUP_CATALOG_URL another database"
            )
        }
        let known = Set(table.columns.map(\.name))
        let foreign = present.first {
            !known.contains($0.name.lowercased()) && $0.isNotNull && $0.defaultValueSQL == nil
        }
        if let foreign {
            throw BackupError(
                .catalog,
                "the table \(table.name) has a column \(foreign.name) that must be filled and is not a backup "
                    + "catalog's; give it a default or give BACKUP_CATALOG_URL another database"
            )
        }
        return try table.columns.filter { !names.contains($0.name) }.map { column in
            if apply {
                try database.execute(sql: "ALTER TABLE \(table.name) ADD COLUMN \(column.name) \(column.type)")
            }
            return "added the column \(table.name).\(column.name)"
        }
    }

    /// Gives each job without one a UUID. Elder, which knows none, may add jobs at any time: that is no reason to ask
    /// for a migration, so without `apply` nothing is found.
    @discardableResult
    static func identifyJobs(in database: Database, apply: Bool) throws -> [String] {
        guard apply else { return [] }
        let jobs = try Int64.fetchAll(database, sql: "SELECT id FROM backup_jobs WHERE uuid IS NULL OR uuid = ''")
        for job in jobs {
            try database.execute(
                sql: "UPDATE backup_jobs SET uuid = ? WHERE id = ?", arguments: [UUID().uuidString.lowercased(), job])
        }
        return jobs.isEmpty ? [] : ["gave \(jobs.count) \(jobs.count == 1 ? "job" : "jobs") a UUID"]
    }

    private static func addMeta(in database: Database, apply: Bool) throws -> [String] {
        let values = [("schema_version", String(version)), ("installation_id", UUID().uuidString.lowercased())]
        guard try database.tableExists("elder_backup_meta") else { return values.map { "set the \($0.0)" } }
        let present = Set(try String.fetchAll(database, sql: "SELECT key FROM elder_backup_meta"))
        let stored = try String.fetchOne(
            database, sql: "SELECT value FROM elder_backup_meta WHERE key = 'schema_version'")
        if let stored, stored != String(version) {
            if apply {
                try database.execute(
                    sql: "UPDATE elder_backup_meta SET value = ? WHERE key = 'schema_version'", arguments: [version])
            }
            return ["set the schema_version"]
        }
        return try values.filter { !present.contains($0.0) }.map { key, value in
            if apply {
                try database.execute(
                    sql: "INSERT INTO elder_backup_meta(key, value) VALUES (?, ?)", arguments: [key, value])
            }
            return "set the \(key)"
        }
    }
}
