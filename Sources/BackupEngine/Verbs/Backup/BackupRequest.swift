package import BackupCore

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
