package import BackupCore

/// How a backup is named by a user: a catalog id, a file name in the backup directory, or a path to an archive.
package struct BackupReference: Sendable, Equatable {
    package var text: String
    package init(_ text: String) { self.text = text }
}

/// How a job is named by a user: its id or its name.
package struct JobReference: Sendable, Equatable {
    package var text: String
    package init(_ text: String) { self.text = text }
}

package struct BackupRequest: Sendable {
    package var source: DatabaseURL?
    /// The job to run; the job `default`, made where it is missing, when nil.
    package var job: JobReference?
    package var includeTables: [String]?
    package var excludeTables: [String]?
    /// Read a private copy made with the engine's own means.
    package var stage = false
    package init() {}
}

/// The answer to a backup: the seed document's shape.
package struct BackupResponse: Sendable, Codable {
    package var success: Bool
    package var backupID: Int64
    package var filename: String
    package var filePath: String
    package var fileSize: Int64
    package var recordCount: Int64
    package var durationSeconds: Double
    package var s3Uploaded: Bool
    package var s3URL: String?
    package var sha256: String
    /// What the user should know, each a line.
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case success, filename, sha256, warnings
        case backupID = "backup_id"
        case filePath = "file_path"
        case fileSize = "file_size"
        case recordCount = "record_count"
        case durationSeconds = "duration_seconds"
        case s3Uploaded = "s3_uploaded"
        case s3URL = "s3_url"
    }
}

package struct RestoreRequest: Sendable {
    package var backup: BackupReference
    package var target: DatabaseURL
    package var tables: [String]?
    package var dryRun = false
    package var clearExisting = false
    package var regenerateIDs = false
    package var dataOnly = false
    /// Read the target back and compare its digests before the commit.
    package var prove = false
    package var trustSchema = false
    /// PostgreSQL: restore neither owners nor privileges.
    package var noOwner = false

    package init(backup: BackupReference, target: DatabaseURL) {
        self.backup = backup
        self.target = target
    }
}

/// The answer to a restore: Elder's shape, and what else there is to say.
package struct RestoreResponse: Sendable, Codable {
    /// Nil for an archive that the catalog does not know.
    package var backupID: Int64?
    package var dryRun: Bool
    package var restoredTables: Int
    package var totalRecords: Int64
    package var restoredCounts: TableCounts
    /// Always empty: a restore that has an error restores nothing. Kept for Elder's clients.
    package var errors: [String: String]
    /// Whether the target was read back and found equal.
    package var proven: Bool
    package var durationSeconds: Double
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case errors, proven, warnings
        case backupID = "backup_id"
        case dryRun = "dry_run"
        case restoredTables = "restored_tables"
        case totalRecords = "total_records"
        case restoredCounts = "restored_counts"
        case durationSeconds = "duration_seconds"
    }
}

/// Rows by table, as one JSON object.
///
/// Names that Unicode holds canonically equivalent are apart here; in JSON, where most readers cannot tell them apart,
/// their rows are counted together.
package struct TableCounts: Sendable, Codable, Equatable, ExpressibleByDictionaryLiteral {
    package private(set) var counts: [ExactName: Int64]

    package init(_ tables: some Sequence<(String, Int64)>) {
        counts = Dictionary(tables.map { (ExactName($0), $1) }, uniquingKeysWith: +)
    }

    package init(dictionaryLiteral elements: (String, Int64)...) { self.init(elements) }

    package init(from decoder: any Decoder) throws {
        self.init(try [String: Int64](from: decoder).map { ($0, $1) })
    }

    package func encode(to encoder: any Encoder) throws {
        try Dictionary(counts.map { ($0.key.text, $0.value) }, uniquingKeysWith: +).encode(to: encoder)
    }

    package subscript(_ table: String) -> Int64? { counts[ExactName(table)] }
}

/// What a verification found.
package struct VerifyResponse: Sendable, Codable {
    package struct Item: Sendable, Codable {
        package var backupID: Int64?
        package var path: String
        package var ok: Bool
        package var recordCount: Int64
        package var tables: Int
        package var fileSize: Int64
        package var durationSeconds: Double
        /// Whether a manifest stood beside the archive and agreed with it.
        package var manifest: Bool
        package var error: String?

        private enum CodingKeys: String, CodingKey {
            case path, ok, tables, manifest, error
            case backupID = "backup_id"
            case recordCount = "record_count"
            case fileSize = "file_size"
            case durationSeconds = "duration_seconds"
        }
    }

    package var ok: Bool
    package var verified: Int
    package var damaged: Int
    package var backups: [Item]
}

/// Figures over all backups: Elder's shape.
package struct StatsResponse: Sendable, Codable {
    package var totalBackups: Int
    package var completedBackups: Int
    package var failedBackups: Int
    package var totalSizeBytes: Int64
    package var totalSizeMB: Double
    package var backupDirectory: String
    /// The newest five.
    package var recentBackups: [BackupRecord]

    private enum CodingKeys: String, CodingKey {
        case totalBackups = "total_backups"
        case completedBackups = "completed_backups"
        case failedBackups = "failed_backups"
        case totalSizeBytes = "total_size_bytes"
        case totalSizeMB = "total_size_mb"
        case backupDirectory = "backup_directory"
        case recentBackups = "recent_backups"
    }
}

/// What retention did, or would do.
package struct PruneResponse: Sendable, Codable {
    package struct Item: Sendable, Codable {
        package var backupID: Int64
        package var jobID: Int64
        package var filename: String
        package var startedAt: Timestamp
        package var keep: Bool
        package var reason: String

        private enum CodingKeys: String, CodingKey {
            case filename, keep, reason
            case backupID = "backup_id"
            case jobID = "job_id"
            case startedAt = "started_at"
        }
    }

    package var dryRun: Bool
    package var deleted: Int
    package var kept: Int
    package var freedBytes: Int64
    package var backups: [Item]

    private enum CodingKeys: String, CodingKey {
        case deleted, kept, backups
        case dryRun = "dry_run"
        case freedBytes = "freed_bytes"
    }
}
