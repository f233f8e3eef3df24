internal import BackupCatalog
package import BackupCore
internal import Logging

/// A run that should have begun and did not, as it is told of.
package struct MissedRun: Sendable {
    let announcement: Announcement
}

extension BackupEngine {
    /// Writes down a run that should have begun and did not, as a failed one, and tells nobody yet.
    ///
    /// - Returns: what is to be told; nil where that miss was written down before.
    /// - Throws: `notFound` where the job is gone.
    package func recordMissedRun(job id: Int64, due: Timestamp) async throws -> MissedRun? {
        try await BlockingThread.run(named: "missed-run") { _ in
            guard let job = try self.catalog.job(id: id) else { throw BackupError(.notFound, "there is no job \(id)") }
            let now = Timestamp.now()
            let name = ArchiveName.stem(jobID: id, at: due) + ArchiveName.fileExtension
            let message = "missed: it was due at \(due.sql.prefix(19)) UTC, and the service was not there"
            var missed = BackupRecord(
                id: 0, jobID: id, filename: name, filePath: self.configuration.backupDirectory + "/" + name,
                status: .failed, errorMessage: message, startedAt: due, completedAt: now, durationSeconds: 0,
                createdAt: due, updatedAt: now, localState: .none, process: .current())
            missed.content = self.ownContent(of: job)
            return try self.catalog.recordMissedRun(missed).map {
                MissedRun(announcement: Announcement(.missed, message, job, $0))
            }
        }
    }

    /// Tells of a missed run. Takes as long as those who are told; a cancelled task gives up.
    package func tell(_ missed: MissedRun) async {
        for fault in await Herald(settings: configuration.announcements).send([missed.announcement]) {
            logger.warning("\(fault)")
        }
    }
}
