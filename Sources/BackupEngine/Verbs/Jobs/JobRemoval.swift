package import BackupCore

/// A job that is gone.
package struct JobRemoval: Sendable {
    /// What becomes of its backups.
    package enum Backups: String, Sendable, CaseIterable { case keep, delete }

    package var job: BackupJob
    package var deletedBackups = 0
    /// In bytes, of the local archives.
    package var freedBytes: Int64 = 0
}

extension BackupEngine {
    /// Removes a job, and its backups with all their copies where that is wanted. What cannot be deleted stays, and so does
    /// the job then.
    ///
    /// - Throws: `notFound`; `locked` while a run of the job goes on; `s3`, `retained` or `storage` for the first backup that
    ///   could not be deleted, after all others were.
    package func deleteJob(
        _ reference: JobReference, backups: JobRemoval.Backups = .keep
    ) async throws -> JobRemoval {
        try await audited(
            "job.delete", "job \(reference.text)", detail: "backups: \(backups.rawValue)", describe: { $0.job.name }
        ) {
            try await runVerb(named: "delete-job") { context in
                let job = try self.findJob(reference)
                return try self.withJobLock(job.id) {
                    var removal = JobRemoval(job: job)
                    if backups == .delete { try self.removeBackups(of: job, &removal, context) }
                    try self.catalog.deleteJob(id: job.id)
                    return removal
                }
            }
        }
    }

    private func removeBackups(of job: BackupJob, _ removal: inout JobRemoval, _ context: VerbContext) throws {
        var first: BackupError?
        let records = try catalog.records(jobID: job.id, status: nil, limit: nil)
        for record in records {
            try context.cancellation.check()
            do {
                try remove(record, context)
                removal.deletedBackups += 1
                removal.freedBytes += record.status == .completed ? record.fileSize : 0
            } catch let error as BackupError where error.code != .cancelled && error.code != .catalog {
                if first == nil { first = error.located("backup \(record.id)") }
            }
        }
        guard var failure = first else { return }
        failure.message +=
            "; \(removal.deletedBackups) of the \(records.count) backups of job \(job.id) were deleted, and the job stays: "
            + "delete it again once the others can go"
        throw failure
    }
}
