internal import BackupArchive
package import BackupCore
internal import Logging

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

extension BackupEngine {
    /// Deletes a backup: its copies in stores, then manifest, archive and record.
    ///
    /// - Throws: `notFound`; `locked` for one that is running; `s3` and `storage`, and the record then stays.
    package func delete(_ reference: BackupReference) async throws -> BackupRecord {
        try await audited("backup.delete", "backup \(reference.text)", describe: { $0.filename }) {
            try await runVerb(named: "delete") { try self.delete(reference, $0) }
        }
    }

    private func delete(_ reference: BackupReference, _ context: VerbContext) throws -> BackupRecord {
        guard let record = try findRecord(reference) else {
            throw BackupError(
                .notFound, "the catalog has no backup \"\(reference.text)\"; \"list\" shows those there are")
        }
        do {
            try lockingForRemoval(record.jobID, context) { try remove(record, context) }
        } catch let error as BackupError where [.remote, .retained, .configuration].contains(error.code) {
            throw error.located("backup \(record.id)")
        }
        return record
    }

    /// Where stores are involved nobody may send what is being deleted.
    private func lockingForRemoval<Output>(
        _ jobID: Int64, _ context: VerbContext, _ body: () throws -> Output
    ) throws -> Output {
        try context.stores.ofJob(jobID).all.isEmpty ? body() : withJobLock(jobID, body)
    }

    /// Removes a backup's copies and files and then its record, which stays until everything else is gone.
    func remove(_ record: BackupRecord, _ context: VerbContext) throws {
        guard record.status != .running else {
            throw BackupError(.locked, "backup \(record.id) is still running; wait for it to end")
        }
        try CopyRemover(self, context).removeCopies(of: record)
        if record.status == .completed {
            try ArchiveCopy.remove(record.filePath)
        }
        try catalog.deleteRecord(id: record.id)
    }

    /// Deletes what retention no longer keeps.
    package func prune(job: JobReference? = nil, dryRun: Bool = false) async throws -> PruneResponse {
        let run = { try await self.runVerb(named: "prune") { try self.prune(job, dryRun: dryRun, $0) } }
        if dryRun { return try await run() }
        return try await audited(
            "prune", job.map { "job \($0.text)" }, describe: { "deleted \($0.deleted), kept \($0.kept)" }, run)
    }

    private func prune(_ job: JobReference?, dryRun: Bool, _ context: VerbContext) throws -> PruneResponse {
        let jobs = try job.map { [try findJob($0)] } ?? catalog.jobs(enabled: nil)
        var response = PruneResponse(dryRun: dryRun, deleted: 0, kept: 0, failed: 0, freedBytes: 0, backups: [])
        for job in jobs {
            let outcome = try lockingForRemoval(job.id, context) {
                try applyRetention(of: job, dryRun: dryRun, context)
            }
            for decision in outcome.decisions { response.add(decision) }
            response.failed += outcome.failures.count
        }
        return response
    }

    /// What retention did to a job's backups.
    struct RetentionOutcome {
        var decisions: [RetentionPlan.Decision] = []
        /// Of those that were kept: what should be gone and could not be deleted, with a whole sentence each.
        var failures: [(record: BackupRecord, reason: String)] = []
        /// Why nothing of the job can expire, a whole sentence; then all are kept.
        var refusal: String?
    }

    /// Deletes what a job's retention no longer keeps. What a store does not let go stays, and the rest goes on.
    func applyRetention(of job: BackupJob, dryRun: Bool, _ context: VerbContext) throws -> RetentionOutcome {
        let records = try catalog.records(jobID: job.id, status: nil, limit: nil)
        let clock: JobClock
        do throws(BackupError) {
            try job.requireReadable()
            clock = try job.clock()
        } catch {
            // One job must not keep what the others hold from expiring.
            let refusal = "nothing of job \(job.id) expires: \(error.message)"
            return RetentionOutcome(
                decisions: records.map { RetentionPlan.Decision(record: $0, keep: true, reason: refusal) },
                refusal: refusal)
        }
        let decisions = RetentionPlan.plan(
            records: records, policy: job.retention, own: ownContent(of: job), now: Timestamp.now(),
            keepsNewestCopy: context.stores.use(job).isEnabled, offset: clock.offset)
        var outcome = RetentionOutcome()
        for var decision in decisions {
            if !decision.keep && !dryRun {
                try context.cancellation.check()
                do {
                    try audited(
                        "backup.expire", "backup \(decision.record.id)", detail: decision.reason, by: context.actor
                    ) { try remove(decision.record, context) }
                } catch let error as BackupError where error.code != .cancelled && error.code != .catalog {
                    decision.keep = true
                    let isLock = error.code == .retained
                    decision.reason = isLock ? error.message : "could not be deleted: \(error)"
                    if !isLock {
                        outcome.failures.append(
                            (
                                decision.record,
                                "backup \(decision.record.id) has expired and could not be deleted: \(error)"
                            ))
                    }
                }
            }
            outcome.decisions.append(decision)
        }
        return outcome
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
