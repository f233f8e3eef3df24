internal import BackupCatalog
internal import BackupCore
internal import Logging

extension BackupEngine {
    /// Copies a backup to the primary store.
    ///
    /// - Throws: `notFound`, `configuration` (no store), `locked`; a copy that cannot be made is told of in the answer.
    package func upload(_ reference: BackupReference) async throws -> CopiesResponse {
        try await audited("backup.upload", "backup \(reference.text)", describe: \.summary) {
            try await runVerb(named: "upload") { context in
                let record = try self.completed(reference)
                _ = try context.stores.store(RemoteCopy.primaryStore, ofJob: record.jobID)
                return CopiesResponse(try self.copy(record, to: [RemoteCopy.primaryStore], context))
            }
        }
    }

    /// Copies every completed backup to its job's primary store that has no copy there, the oldest first; but for jobs
    /// that switch copies off.
    package func uploadMissing(job: JobReference? = nil) async throws -> CopiesResponse {
        try await audited("backup.upload", job.map { "job \($0.text)" }, describe: \.summary) {
            try await runVerb(named: "upload") { context in
                let jobs = try job.map { [try self.findJob($0)] } ?? self.catalog.jobs(enabled: nil)
                if let job, let id = jobs.first?.id {
                    _ = try context.stores.store(RemoteCopy.primaryStore, ofJob: id)
                    return try self.copyMissing(job, context) { $0 == RemoteCopy.primaryStore }
                }
                // Where nothing could be copied that is an error, not an answer.
                if jobs.allSatisfy({ context.stores.use($0).primary == nil }) {
                    _ = try context.stores.store(RemoteCopy.primaryStore)
                }
                return try self.copyMissing(nil, context) { $0 == RemoteCopy.primaryStore }
            }
        }
    }

    /// Brings the replicas level: copies every completed backup, or one, to each that has none.
    package func replicate(_ reference: BackupReference? = nil, job: JobReference? = nil) async throws
        -> CopiesResponse
    {
        let subject = reference.map { "backup \($0.text)" } ?? job.map { "job \($0.text)" }
        return try await audited("backup.replicate", subject, describe: \.summary) {
            try await runVerb(named: "replicate") { context in
                let names = (context.stores.settings?.replicas ?? []).map(\.name)
                guard !names.isEmpty else {
                    throw BackupError(
                        .configuration, "no replica is configured: set BACKUP_S3_REPLICA_1_BUCKET and what it needs")
                }
                if let reference {
                    return CopiesResponse(try self.copy(try self.completed(reference), to: names, context))
                }
                return try self.copyMissing(job, context) { $0 != RemoteCopy.primaryStore }
            }
        }
    }

    private func completed(_ reference: BackupReference) throws -> BackupRecord {
        guard let record = try findRecord(reference) else {
            throw BackupError(
                .notFound, "the catalog has no backup \"\(reference.text)\"; \"list\" shows those there are")
        }
        guard record.status == .completed else {
            throw BackupError(
                .notFound, "backup \(record.id) is \(record.status.rawValue); only completed ones can be copied")
        }
        return record
    }

    private func copyMissing(
        _ job: JobReference?, _ context: VerbContext, where isWanted: (String) -> Bool
    ) throws -> CopiesResponse {
        let jobID = try job.map { try findJob($0).id }
        var reports: [CopyReport] = []
        for record in try catalog.records(jobID: jobID, status: .completed, limit: nil).reversed() {
            try context.cancellation.check()
            let stores = try context.stores.ofJob(record.jobID)
            if job == nil, stores.job?.store.isEnabled == false { continue }
            let names = stores.names.filter(isWanted)
            let copies = try catalog.copies(backupID: record.id)
            let missing = names.filter { name in
                copies.first { $0.store == name }?.state.needsUpload ?? true
            }
            guard !missing.isEmpty, !record.remote.isBeingDeleted else { continue }
            do {
                reports += try copy(record, to: missing, context)
            } catch let error as BackupError where error.code == .locked || error.code == .configuration {
                // The other jobs go on.
                reports += missing.map { CopyReport(record, store: $0, error: error.description) }
            }
        }
        return CopiesResponse(reports)
    }

    /// Copies a backup under its job's lock: nobody else sends or deletes it meanwhile.
    private func copy(_ record: BackupRecord, to names: [String], _ context: VerbContext) throws -> [CopyReport] {
        try withJobLock(record.jobID) {
            let sender = try CopySender(self, context)
            return try names.map { CopyReport(record, try sender.send(record, to: $0)) }
        }
    }

    /// Runs something while no other process runs the job.
    func withJobLock<Output>(_ jobID: Int64, _ body: () throws -> Output) throws -> Output {
        let lock = try JobLock.acquire(directory: configuration.backupDirectory, jobUUID: try lockName(ofJob: jobID))
        let outcome = Result { try body() }
        _ = consume lock
        return try outcome.get()
    }

    /// What the lock of a job is called. One that was deleted leaves its backups, which need a lock too.
    func lockName(ofJob id: Int64) throws -> String { try catalog.job(id: id)?.uuid ?? "deleted-\(id)" }

    /// Copies a backup that was just made to all configured stores, then tries what earlier runs of its job could not
    /// copy. The caller holds the job's lock.
    ///
    /// - Returns: nil where copying is not switched on.
    func copyOut(
        _ record: BackupRecord, _ job: BackupJob, _ context: VerbContext
    ) throws -> (reports: [CopyReport], warnings: [String])? {
        let stores = context.stores.use(job)
        guard stores.isEnabled else { return nil }
        // A job that wants copies and has no store is told so.
        let names =
            stores.names.contains(RemoteCopy.primaryStore) ? stores.names : [RemoteCopy.primaryStore] + stores.names
        var reports: [CopyReport] = []
        var warnings: [String] = []
        do {
            let sender = try CopySender(self, context)
            for name in names { reports.append(CopyReport(record, try sender.send(record, to: name))) }
            warnings = try retry(job, except: record.id, sender, context)
        } catch let error as BackupError where error.code != .cancelled {
            // The backup itself is complete, whatever becomes of its copies.
            let missing = names.filter { name in !reports.contains { $0.store == name } }
            reports += missing.map { CopyReport(record, store: $0, error: error.description) }
        }
        return (reports, warnings)
    }

    private func retry(
        _ job: BackupJob, except fresh: Int64, _ sender: CopySender, _ context: VerbContext
    ) throws -> [String] {
        var warnings: [String] = []
        let waiting = try catalog.copies(in: [.pending, .uploading, .failed, .missing, .damaged])
        let names = context.stores.use(job).names
        for copy in waiting where copy.backupID != fresh && names.contains(copy.store) {
            guard let record = try catalog.record(id: copy.backupID), record.jobID == job.id,
                record.status == .completed, !record.remote.isBeingDeleted
            else { continue }
            let result = try sender.send(record, to: copy.store)
            guard result.state != .present else { continue }
            warnings.append(
                "backup \(record.id) still has no copy on \(copy.store): \(result.error ?? result.state.rawValue)")
        }
        return warnings
    }
}

extension CopiesResponse {
    fileprivate var summary: String? { "uploaded \(uploaded), failed \(failed)" }
}

extension CopyReport {
    init(_ record: BackupRecord, _ copy: RemoteCopy) {
        let isThere = copy.state == .present
        self.init(
            backupID: record.id, filename: record.filename, store: copy.store, uploaded: isThere,
            url: isThere ? copy.url : nil, proof: isThere ? copy.proof : nil,
            error: isThere ? nil : copy.error ?? "the copy is \(copy.state.rawValue)")
    }

    init(_ record: BackupRecord, store: String, error: String) {
        self.init(
            backupID: record.id, filename: record.filename, store: store, uploaded: false, url: nil, proof: nil,
            error: error)
    }
}
