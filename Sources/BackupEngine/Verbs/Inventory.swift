internal import BackupArchive
package import BackupCore
internal import BackupFiles
internal import DatabaseSource
internal import Foundation

/// A backup in full: its record and what its archive says of itself.
package struct BackupDetails: Sendable, Codable {
    /// Nil for a file that the catalog does not know.
    package var record: BackupRecord?
    package var archive: ArchiveInspection
}

extension BackupEngine {
    /// Backups, newest first.
    package func list(job: JobReference? = nil, limit: Int = 50) async throws -> [BackupRecord] {
        try await BlockingThread.run(named: "list") { _ in
            try self.catalog.records(jobID: try job.map { try self.findJob($0).id }, status: nil, limit: limit)
        }
    }

    /// - Throws: `notFound`, `damaged`.
    package func show(_ reference: BackupReference) async throws -> BackupDetails {
        try await BlockingThread.run(named: "show") { _ in
            let copy = try self.locate(reference)
            return BackupDetails(record: copy.record, archive: try ArchiveInspection.inspect(path: copy.path))
        }
    }

    package func stats() async throws -> StatsResponse {
        try await BlockingThread.run(named: "stats") { _ in
            let statistics = try self.catalog.statistics()
            return StatsResponse(
                totalBackups: statistics.total, completedBackups: statistics.completed,
                failedBackups: statistics.failed, totalSizeBytes: statistics.totalSize,
                totalSizeMB: (Double(statistics.totalSize) / 1_048_576 * 100).rounded() / 100,
                backupDirectory: self.configuration.backupDirectory,
                recentBackups: try self.catalog.records(jobID: nil, status: nil, limit: 5))
        }
    }

    /// Copies a backup and its manifest out, checking its digest on the way. Never replaces a file.
    ///
    /// - Returns: the path of the copy: `path` itself, or the backup's name in it where it is a directory.
    package func download(_ reference: BackupReference, to path: String) async throws -> String {
        try await BlockingThread.run(named: "download") { cancellation in
            let copy = try self.locate(reference)
            var isDirectory: ObjCBool = false
            let name = copy.path.split(separator: "/").last.map(String.init) ?? copy.path
            let destination =
                FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
                ? path + "/" + name : path
            try ArchiveCopy.copy(copy.path, to: destination, expectedSHA256: copy.record?.sha256) {
                try cancellation.check()
            }
            return destination
        }
    }

    /// Deletes a backup: manifest, archive, then the record.
    ///
    /// - Throws: `notFound`; `locked` for one that is running; `storage`, and the record then stays.
    package func delete(_ reference: BackupReference) async throws -> BackupRecord {
        try await BlockingThread.run(named: "delete") { _ in
            guard let record = try self.findRecord(reference) else {
                throw BackupError(
                    .notFound, "the catalog has no backup \"\(reference.text)\"; \"list\" shows those there are")
            }
            try self.remove(record)
            return record
        }
    }

    /// Removes a backup's files and then its record.
    func remove(_ record: BackupRecord) throws {
        guard record.status != .running else {
            throw BackupError(.locked, "backup \(record.id) is still running; wait for it to end")
        }
        if record.status == .completed {
            try ArchiveCopy.remove(record.filePath)
        }
        try catalog.deleteRecord(id: record.id)
    }

    /// Deletes what retention no longer keeps.
    package func prune(job: JobReference? = nil, dryRun: Bool = false) async throws -> PruneResponse {
        try await BlockingThread.run(named: "prune") { cancellation in
            let jobs = try job.map { [try self.findJob($0)] } ?? self.catalog.jobs(enabled: nil)
            var response = PruneResponse(dryRun: dryRun, deleted: 0, kept: 0, freedBytes: 0, backups: [])
            for job in jobs {
                for decision in try self.applyRetention(of: job, dryRun: dryRun, { try cancellation.check() }) {
                    response.add(decision)
                }
            }
            return response
        }
    }

    /// Deletes what a job's retention no longer keeps; returns what was decided over each of its backups.
    func applyRetention(
        of job: BackupJob, dryRun: Bool, _ step: () throws -> Void = {}
    ) throws -> [RetentionPlan.Decision] {
        let records = try catalog.records(jobID: job.id, status: nil, limit: nil)
        let decisions = RetentionPlan.plan(records: records, retentionDays: job.retentionDays)
        for decision in decisions where !decision.keep && !dryRun {
            try step()
            try remove(decision.record)
        }
        return decisions
    }
}

extension PruneResponse {
    fileprivate mutating func add(_ decision: RetentionPlan.Decision) {
        if decision.keep {
            kept += 1
        } else {
            deleted += 1
            freedBytes += decision.record.status == .completed ? decision.record.fileSize : 0
        }
        backups.append(
            Item(
                backupID: decision.record.id, jobID: decision.record.jobID, filename: decision.record.filename,
                startedAt: decision.record.startedAt, keep: decision.keep, reason: decision.reason))
    }
}
