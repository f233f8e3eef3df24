internal import BackupArchive
package import BackupCore
internal import BackupFiles
internal import DatabaseSource
internal import Foundation

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

/// A backup in full: its record and what its archive says of itself.
package struct BackupDetails: Sendable, Codable {
    /// Nil for a file that the catalog does not know.
    package var record: BackupRecord?
    /// Its copies in stores.
    package var copies: [RemoteCopy]
    /// Where ``archive`` was read: `local`, or the name of a store.
    package var source: String
    /// Why the local copy was not taken.
    package var sourceReason: String?
    package var archive: ArchiveInspection

    private enum CodingKeys: String, CodingKey {
        case record, copies, source, archive
        case sourceReason = "source_reason"
    }
}

extension BackupEngine {
    /// Backups, newest first.
    package func list(job: JobReference? = nil, limit: Int = 50) async throws -> [BackupRecord] {
        try await CatalogThreads.run {
            try self.catalog.records(jobID: try job.map { try self.findJob($0).id }, status: nil, limit: limit)
        }
    }

    /// A page of the backups that are asked for.
    ///
    /// - Parameter job: only of this one.
    /// - Throws: `notFound` for a job that is not there.
    package func list(_ query: BackupQuery, job: JobReference? = nil) async throws -> BackupPage {
        try await CatalogThreads.run {
            var query = query
            if let job { query.jobID = try self.findJob(job).id }
            return try self.catalog.page(query)
        }
    }

    /// What the catalog has of a backup.
    ///
    /// - Throws: `notFound`.
    package func record(_ id: Int64) async throws -> BackupRecord {
        try await CatalogThreads.run {
            guard let record = try self.catalog.record(id: id) else {
                throw BackupError(.notFound, "there is no backup \(id)")
            }
            return record
        }
    }

    /// - Throws: `notFound`, `damaged`.
    package func show(_ reference: BackupReference) async throws -> BackupDetails {
        try await runVerb(named: "show") { context in
            // With a manifest the head of an archive is all that is looked at.
            let copy = try CopyFinder(engine: self, context: context, wish: CopyWish(isPartial: true)).find(reference)
            let copies = try copy.record.map { try self.catalog.copies(backupID: $0.id) } ?? []
            return try withExtendedLifetime(copy) {
                var archive = try ArchiveInspection.inspect(path: copy.path)
                // Not the temporary file that it was fetched into.
                if let remote = copies.first(where: { $0.store == copy.source }) { archive.path = remote.place }
                return BackupDetails(
                    record: copy.record, copies: copies, source: copy.source, sourceReason: copy.reason,
                    archive: archive)
            }
        }
    }

    package func stats() async throws -> StatsResponse {
        try await CatalogThreads.run {
            let statistics = try self.catalog.statistics()
            return StatsResponse(
                totalBackups: statistics.total, completedBackups: statistics.completed,
                failedBackups: statistics.failed, totalSizeBytes: statistics.totalSize,
                totalSizeMB: (Double(statistics.totalSize) / 1_048_576 * 100).rounded() / 100,
                s3Backups: statistics.onS3, s3SizeBytes: statistics.sizeOnS3,
                backupDirectory: self.configuration.backupDirectory,
                recentBackups: try self.catalog.records(jobID: nil, status: nil, limit: 5))
        }
    }

    /// Copies a backup and its manifest out, checking its digest on the way. Never replaces a file.
    ///
    /// - Parameter path: of the copy, or of a directory, in which it gets the backup's name.
    package func download(
        _ reference: BackupReference, to path: String, from choice: CopyChoice = .any, waits: Bool = false
    ) async throws -> DownloadResponse {
        try await runVerb(named: "download") { context in
            let wish = CopyWish(choice: choice, waits: waits)
            let copy = try CopyFinder(engine: self, context: context, wish: wish).find(reference)
            var isDirectory: ObjCBool = false
            let name = copy.path.split(separator: "/").last.map(String.init) ?? copy.path
            let destination =
                FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
                ? path + "/" + name : path
            return try withExtendedLifetime(copy) {
                try ArchiveCopy.copy(copy.path, to: destination, expectedSHA256: copy.record?.sha256) {
                    try context.cancellation.check()
                }
                return DownloadResponse(path: destination, source: copy.source, sourceReason: copy.reason)
            }
        }
    }
}

/// Where a downloaded backup lies, and which copy it is of.
package struct DownloadResponse: Sendable, Codable {
    package var success = true
    package var path: String
    /// `local`, or the name of a store.
    package var source: String
    /// Why the local copy was not taken.
    package var sourceReason: String?

    private enum CodingKeys: String, CodingKey {
        case success, path, source
        case sourceReason = "source_reason"
    }

    init(path: String, source: String, sourceReason: String?) {
        self.path = path
        self.source = source
        self.sourceReason = sourceReason
    }
}
