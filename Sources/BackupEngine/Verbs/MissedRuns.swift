internal import BackupCatalog
package import BackupCore
internal import Logging

extension BackupEngine {
    /// Writes down a run that should have begun and did not, as a failed one.
    ///
    /// - Throws: `notFound` where the job is gone.
    package func recordMissedRun(job id: Int64, due: Timestamp) async throws {
        let (job, record) = try await BlockingThread.run(named: "missed-run") { _ in
            let now = Timestamp.now()
            let stem = ArchiveName.stem(jobID: id, at: due)
            guard let job = try self.catalog.job(id: id) else { throw BackupError(.notFound, "there is no job \(id)") }
            var record = try self.catalog.beginRun(
                jobID: id, filename: stem + ArchiveName.fileExtension,
                filePath: self.configuration.backupDirectory + "/" + stem + ArchiveName.fileExtension,
                content: self.ownContent(of: job), process: .current(), at: due)
            record.status = .failed
            record.errorMessage = "missed: it was due at \(due.sql.prefix(19)) UTC, and the service was not there"
            record.localState = .none
            record.completedAt = now
            record.durationSeconds = 0
            record.updatedAt = now
            try self.catalog.update(record)
            return (job, record)
        }
        let announcement = Announcement(.missed, record.errorMessage ?? "a run was missed", job, record)
        for fault in await Herald(settings: configuration.announcements).send([announcement]) {
            logger.warning("\(fault)")
        }
    }
}
