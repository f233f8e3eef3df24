package import BackupCore
internal import Glibc

/// A sample database: an infrastructure tracker with most of what SQLite databases hold, the same on every run.
package enum SQLiteDemo {
    /// Makes the database.
    ///
    /// - Parameter path: of a file that must not exist; its directory must.
    /// - Returns: the number of ordinary tables and of their rows.
    /// - Throws: `storage` where the file exists or cannot be written; nothing is left of it then.
    package static func create(at path: String) throws(BackupError) -> (tables: Int, rows: Int64) {
        // SQLite would open a file that exists.
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let hint = errno == EEXIST ? "move it away, or choose another directory" : nil
            throw .system(.storage, "create", path: path, errno: errno, hint: hint)
        }
        Glibc.close(descriptor)
        do {
            return try fill(path)
        } catch {
            for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
            throw error
        }
    }

    private static func fill(_ path: String) throws(BackupError) -> (tables: Int, rows: Int64) {
        let connection = try SQLiteConnection(path: path, mode: .readWrite)
        defer { connection.close() }
        try connection.execute("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; BEGIN")
        try connection.execute(schema)
        var content = SQLiteDemoContent(connection: connection)
        try content.insertAll()
        try connection.execute("PRAGMA user_version=7; PRAGMA application_id=\(0x45_4C_44_52); COMMIT; PRAGMA optimize")
        var rows: Int64 = 0
        for table in tables {
            rows += try connection.integer("SELECT count(*) FROM \(SQLiteConnection.quote(table))") ?? 0
        }
        return (tables.count, rows)
    }

    private static let tables = [
        "organizations", "entities", "dependencies", "issues", "labels", "issue_labels", "comments", "attachments",
    ]

    private static let schema = """
        CREATE TABLE organizations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            parent_id INTEGER REFERENCES organizations(id) ON DELETE SET NULL,
            settings JSON NOT NULL DEFAULT '{}',
            created_at TIMESTAMP NOT NULL
        );
        CREATE TABLE entities (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            type TEXT NOT NULL CHECK (type IN ('server', 'database', 'network', 'application', 'datacenter')),
            organization_id INTEGER NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
            attributes JSON,
            monthly_cost DECIMAL(12, 2),
            is_active BOOLEAN NOT NULL DEFAULT 1,
            fingerprint BLOB,
            retired_on DATE,
            created_at TIMESTAMP NOT NULL,
            updated_at TIMESTAMP
        );
        CREATE INDEX entities_by_organization ON entities(organization_id, type);
        CREATE INDEX entities_by_name ON entities(lower(name));
        CREATE INDEX entities_active ON entities(name) WHERE is_active;
        CREATE TABLE dependencies (
            source_id INTEGER NOT NULL REFERENCES entities(id) ON DELETE CASCADE,
            target_id INTEGER NOT NULL REFERENCES entities(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            weight REAL NOT NULL,
            PRIMARY KEY (source_id, target_id, kind)
        ) WITHOUT ROWID;
        CREATE TABLE issues (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL,
            body TEXT,
            status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'in progress', 'closed')),
            priority INTEGER NOT NULL,
            entity_id INTEGER REFERENCES entities(id) ON DELETE SET NULL,
            estimate_hours REAL,
            due_on DATE,
            created_at TIMESTAMP NOT NULL,
            closed_at TIMESTAMP
        );
        CREATE INDEX issues_open ON issues(priority, created_at) WHERE status <> 'closed';
        CREATE TABLE labels (
            name TEXT PRIMARY KEY COLLATE NOCASE,
            color TEXT NOT NULL
        ) STRICT;
        CREATE TABLE issue_labels (
            issue_id INTEGER NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
            label TEXT NOT NULL REFERENCES labels(name) ON UPDATE CASCADE,
            PRIMARY KEY (issue_id, label)
        );
        CREATE TABLE comments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            issue_id INTEGER NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
            author TEXT NOT NULL,
            body TEXT NOT NULL,
            created_at TIMESTAMP NOT NULL
        );
        CREATE TABLE attachments (
            id INTEGER PRIMARY KEY,
            issue_id INTEGER NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
            filename TEXT NOT NULL,
            content BLOB NOT NULL,
            size INTEGER GENERATED ALWAYS AS (length(content)) STORED
        );
        CREATE VIRTUAL TABLE issue_search USING fts5(title, body, content='issues', content_rowid='id');
        CREATE TRIGGER issues_inserted AFTER INSERT ON issues BEGIN
            INSERT INTO issue_search(rowid, title, body) VALUES (new.id, new.title, new.body);
        END;
        CREATE TRIGGER issues_deleted AFTER DELETE ON issues BEGIN
            INSERT INTO issue_search(issue_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
        END;
        CREATE TRIGGER issues_updated AFTER UPDATE OF title, body ON issues BEGIN
            INSERT INTO issue_search(issue_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
            INSERT INTO issue_search(rowid, title, body) VALUES (new.id, new.title, new.body);
        END;
        CREATE TRIGGER entities_touched AFTER UPDATE OF name, type, attributes ON entities BEGIN
            UPDATE entities SET updated_at = datetime('now') WHERE id = new.id;
        END;
        CREATE VIEW open_issues AS
            SELECT issues.id, issues.title, issues.priority, entities.name AS entity, organizations.name AS organization
            FROM issues
            LEFT JOIN entities ON entities.id = issues.entity_id
            LEFT JOIN organizations ON organizations.id = entities.organization_id
            WHERE issues.status <> 'closed';
        """
}
