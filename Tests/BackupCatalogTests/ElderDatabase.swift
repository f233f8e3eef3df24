import GRDB

/// A database as Elder's service leaves it: tables as PyDAL declares them on SQLite, booleans as `T` and `F`.
enum ElderDatabase {
    static let jobs = """
        CREATE TABLE "backup_jobs"(
            "id" INTEGER PRIMARY KEY AUTOINCREMENT,
            "name" CHAR(255) NOT NULL,
            "description" TEXT,
            "schedule" CHAR(100),
            "retention_days" INTEGER,
            "enabled" CHAR(1),
            "config_json" TEXT,
            "s3_enabled" CHAR(1),
            "s3_endpoint" CHAR(512), "s3_bucket" CHAR(512), "s3_region" CHAR(512),
            "s3_access_key" CHAR(512), "s3_secret_key" CHAR(512), "s3_prefix" CHAR(512),
            "last_run_at" TIMESTAMP,
            "created_at" TIMESTAMP,
            "updated_at" TIMESTAMP
        )
        """

    /// Without the two S3 columns, in an order that is not ours.
    static let backups = """
        CREATE TABLE "backups"(
            "id" INTEGER PRIMARY KEY AUTOINCREMENT,
            "status" CHAR(50),
            "job_id" INTEGER REFERENCES "backup_jobs" ("id") ON DELETE CASCADE,
            "file_path" CHAR(512),
            "filename" CHAR(255),
            "file_size" BIGINT,
            "record_count" INTEGER,
            "duration_seconds" DOUBLE,
            "error_message" TEXT,
            "started_at" TIMESTAMP,
            "completed_at" TIMESTAMP,
            "created_at" TIMESTAMP,
            "updated_at" TIMESTAMP
        )
        """

    static let rows = """
        INSERT INTO backup_jobs VALUES
            (1,'nightly','every night','0 2 * * *',14,'T','{"include_tables": ["entities", "issues"], "exclude_tables": []}',
             'F',NULL,NULL,NULL,'AKIA','secret',NULL,'2025-10-29 15:00:00','2025-10-01 00:00:00','2025-10-29 15:00:00.250000'),
            (7,'rest',NULL,NULL,NULL,'F',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
            (8,'twice',NULL,'',30,NULL,'"{\\"exclude_tables\\": [\\"logs\\"]}"',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
        INSERT INTO backups VALUES
            (3,'completed',1,'/var/lib/elder/backups/backup_1_20251029_150000.json.gz','backup_1_20251029_150000.json.gz',
             1048576,5000,12.5,NULL,'2025-10-29 15:00:00','2025-10-29 15:00:12','2025-10-29 15:00:00','2025-10-29 15:00:12'),
            (4,'failed',1,NULL,NULL,NULL,NULL,NULL,'disk full','2025-10-30T15:00:00.5+00:00',NULL,NULL,NULL),
            (5,'completed',7,'/b/backup_7_20251031_010203.json.gz','backup_7_20251031_010203.json.gz','12',0,NULL,NULL,
             NULL,NULL,NULL,NULL),
            (6,'pending',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
        CREATE TABLE entities(id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO entities VALUES (1, 'switch');
        """

    static func create(at path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: jobs + ";" + backups + ";" + rows) }
        try queue.close()
    }

    static func createEmpty(at path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: jobs + ";" + backups) }
        try queue.close()
    }

    /// All of the columns that were there from the start, as text that can be compared.
    static func dump(at path: String) throws -> [String] {
        let queue = try DatabaseQueue(path: path)
        return try queue.read { database in
            let jobs = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, name, description, schedule, retention_days, enabled, config_json, s3_enabled, s3_endpoint,
                        s3_access_key, s3_secret_key, last_run_at, created_at, updated_at FROM backup_jobs ORDER BY id
                    """)
            let backups = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, status, job_id, file_path, filename, file_size, record_count, duration_seconds,
                        error_message, started_at, completed_at, created_at, updated_at FROM backups ORDER BY id
                    """)
            return (jobs + backups + (try Row.fetchAll(database, sql: "SELECT * FROM entities"))).map(\.description)
        }
    }
}
