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
    /// Copy the backup to the configured stores, where that is switched on.
    package var uploads = true
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
    /// Why there is no copy on S3, where there should be one.
    package var s3Error: String?
    /// What became of the copies on further stores; nil where none is configured.
    package var replicas: [CopyReport]?
    package var sha256: String
    /// What the user should know, each a line.
    package var warnings: [String]

    /// Whether every copy is there that should be.
    package var isCopied: Bool { s3Error == nil && (replicas ?? []).allSatisfy { $0.error == nil } }

    private enum CodingKeys: String, CodingKey {
        case success, filename, replicas, sha256, warnings
        case backupID = "backup_id"
        case filePath = "file_path"
        case fileSize = "file_size"
        case recordCount = "record_count"
        case durationSeconds = "duration_seconds"
        case s3Uploaded = "s3_uploaded"
        case s3URL = "s3_url"
        case s3Error = "s3_error"
    }
}

/// What became of one copy of a backup.
package struct CopyReport: Sendable, Codable, Equatable {
    package var backupID: Int64
    package var filename: String
    /// `s3`, or `replica-1` and so on.
    package var store: String
    package var uploaded: Bool
    package var url: String?
    package var proof: RemoteCopy.Proof?
    /// Why it is not there.
    package var error: String?

    private enum CodingKeys: String, CodingKey {
        case filename, store, uploaded, url, proof, error
        case backupID = "backup_id"
    }
}

/// What an upload or a replication did.
package struct CopiesResponse: Sendable, Codable {
    /// Whether every copy is there that was asked for.
    package var success: Bool
    package var uploaded: Int
    package var failed: Int
    package var copies: [CopyReport]

    init(_ copies: [CopyReport]) {
        self.copies = copies
        uploaded = copies.count(where: \.uploaded)
        failed = copies.count - uploaded
        success = failed == 0
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
    package var from = CopyChoice.any
    /// Wait for a copy that lies in an archive class.
    package var waits = false
    /// PostgreSQL: restore neither owners nor privileges.
    package var noOwner = false
    /// PostgreSQL: over how many connections an empty database is filled.
    package var jobs = 1

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
    /// `local`, or the name of the store that the copy was fetched from.
    package var source: String
    /// Why the local copy was not taken.
    package var sourceReason: String?
    /// Bytes that were fetched from stores.
    package var fetchedBytes: Int64
    package var durationSeconds: Double
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case errors, proven, source, warnings
        case sourceReason = "source_reason"
        case fetchedBytes = "fetched_bytes"
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
        /// `local`, or the name of the store that the copy was fetched from.
        package var source: String
        /// Why the local copy was not taken.
        package var sourceReason: String?
        package var error: String?

        private enum CodingKeys: String, CodingKey {
            case path, ok, tables, manifest, source, error
            case sourceReason = "source_reason"
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
    /// Completed backups that have a copy on the primary store, and the sum of their sizes.
    package var s3Backups: Int
    package var s3SizeBytes: Int64
    package var backupDirectory: String
    /// The newest five.
    package var recentBackups: [BackupRecord]

    private enum CodingKeys: String, CodingKey {
        case totalBackups = "total_backups"
        case completedBackups = "completed_backups"
        case failedBackups = "failed_backups"
        case totalSizeBytes = "total_size_bytes"
        case totalSizeMB = "total_size_mb"
        case s3Backups = "s3_backups"
        case s3SizeBytes = "s3_size_bytes"
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
    /// Of those that were kept: how many should be gone, and could not be deleted.
    package var failed: Int
    package var freedBytes: Int64
    package var backups: [Item]

    private enum CodingKeys: String, CodingKey {
        case deleted, kept, failed, backups
        case dryRun = "dry_run"
        case freedBytes = "freed_bytes"
    }
}
