internal import BackupArchive
internal import BackupCatalog
internal import BackupCore
internal import BackupFiles
internal import DatabaseSource
internal import Foundation
internal import Logging

extension BackupEngine {
    /// Backs a database up: snapshot, rows, archive, manifest, record, then its copies in stores. A run that ends here
    /// with an answer restores. A copy that could not be made is told of in the answer and leaves the backup completed.
    ///
    /// - Throws: `usage` (no source), `locked`, and whatever failed; the run's record then says `failed` and why.
    package func backup(_ request: BackupRequest) async throws -> BackupResponse {
        try await audited(
            "job.run", "job \(request.job?.text ?? BackupEngine.defaultJobName)",
            describe: { "backup \($0.backupID)" }
        ) { try await runVerb(named: "backup") { try self.runBackup(request, $0) } }
    }

    private func runBackup(_ request: BackupRequest, _ context: VerbContext) throws -> BackupResponse {
        let job = try request.job.map { try findJob($0) } ?? defaultJob()
        // From here on the run has its own.
        _ = context.stores.use(job)
        let announcer = Announcer(self, job, context)
        var record: BackupRecord?
        let outcome = Result {
            let source = try source(of: request, job)
            try BackupDirectory.prepare(configuration.backupDirectory)
            let lock = try JobLock.acquire(directory: configuration.backupDirectory, jobUUID: job.uuid)
            let outcome = Result { try runLocked(request, job, source, context, announcer, &record) }
            _ = consume lock
            return try outcome.get()
        }
        // When the next run of the job may begin already: who is told may be slow to listen.
        return try announcer.tell(outcome, record)
    }

    private func runLocked(
        _ request: BackupRequest, _ job: BackupJob, _ source: DatabaseURL, _ context: VerbContext,
        _ announcer: Announcer, _ told: inout BackupRecord?
    ) throws -> BackupResponse {
        let started = Timestamp.now()
        let stem = ArchiveName.stem(jobID: job.id, at: started)
        var record = try catalog.beginRun(
            jobID: job.id, filename: stem + ArchiveName.fileExtension,
            filePath: configuration.backupDirectory + "/" + stem + ArchiveName.fileExtension,
            content: content(of: request, job, source), process: .current(), at: started)
        defer { told = record }
        observer(.began(backupID: record.id))
        observer(.step(.backupRecorded))
        logger.debug("backup started", metadata: ["job.id": "\(job.id)", "backup.id": "\(record.id)"])
        let watch = RunWatch(
            job.options, context.cancellation,
            order: CancelOrder.path(directory: configuration.backupDirectory, backupID: record.id))
        watch.start()
        defer { watch.end() }
        var run = BackupRun(
            engine: observed { _ in watch.noteProgress() }, request: request, job: job, source: source,
            context: context, watch: watch)
        let hooks = JobHooks(job, logger, context)
        do {
            announcer.tellBeginning(record)
            try job.requireReadable()
            try hooks.runBefore(record)
            record.complete(try run.writeInAttempts(record: record, stem: stem), at: Timestamp.now())
        } catch {
            let error = context.cancellation.explained(error)
            record.fail(error, at: Timestamp.now())
            writeDownFailure(record)
            run.warn(hooks.runAfter(record))
            throw error
        }
        do {
            let response = try finish(record, job, &run, context)
            if request.isWhole { announcer.compare(record, &run) }
            run.warn(hooks.runAfter(record))
            return response(run.warnings)
        } catch {
            run.warn(hooks.runAfter(record, error: error))
            throw error
        }
    }

    /// What follows a complete archive: the record, the copies, the retention.
    private func finish(
        _ record: BackupRecord, _ job: BackupJob, _ run: inout BackupRun, _ context: VerbContext
    ) throws -> ([String]) -> BackupResponse {
        try writeDown(record)
        let copies = run.request.uploads ? try copyOutOrExplain(record, job, context) : nil
        run.warn(copies?.warnings ?? [])
        run.warn(expire(job, context))
        return { BackupResponse(record: record, copies: copies?.reports ?? [], warnings: $0) }
    }

    private func writeDownFailure(_ record: BackupRecord) {
        do {
            try catalog.update(record)
        } catch {
            // The next start's sweep closes the record; the first error is the one that matters.
            logger.error("catalog update failed", metadata: ["error": "\(error)"])
        }
    }

    private func writeDown(_ completed: BackupRecord) throws {
        do {
            try catalog.update(completed)
        } catch {
            // The record stays `running`, and the next start's sweep finds the archive and completes it.
            throw BackupError(
                .catalog,
                "the backup is complete (\(completed.filePath)), but the catalog could not be told: \(error); "
                    + "the next start of elder-backup completes its record")
        }
        observer(.step(.backupCompleted))
    }

    private func copyOutOrExplain(
        _ record: BackupRecord, _ job: BackupJob, _ context: VerbContext
    ) throws -> (reports: [CopyReport], warnings: [String])? {
        do {
            return try copyOut(record, job, context)
        } catch let error as BackupError where error.code == .cancelled {
            throw BackupError(
                .cancelled,
                "backup \(record.id) is complete (\(record.filePath)); its copy to a store was ended "
                    + "(\(context.cancellation.explained(error))), and the next run goes on with it")
        }
    }

    /// Applies the job's retention, now that there is a newer good backup. A deletion that fails is told and does not
    /// make the backup a failure.
    private func expire(_ job: BackupJob, _ context: VerbContext) -> [String] {
        do {
            let outcome = try applyRetention(of: job, dryRun: false, context)
            for decision in outcome.decisions where !decision.keep {
                logger.info(
                    "a backup was deleted by retention",
                    metadata: ["backup.id": "\(decision.record.id)", "reason": "\(decision.reason)"])
            }
            return outcome.failures.map(\.reason) + [outcome.refusal].compactMap { $0 }
        } catch {
            return ["retention could not delete an old backup: \(error)"]
        }
    }

    func source(of request: BackupRequest, _ job: BackupJob) throws -> DatabaseURL {
        if let source = request.source { return source }
        if job.hasSourceSecret, let source = try catalog.secrets(ofJob: job.id).source {
            return try DatabaseURL(source.revealed)
        }
        if let source = job.source { return try DatabaseURL(source) }
        guard let source = configuration.source else {
            throw BackupError(.usage, "no database to back up: give --source, or set DATABASE_URL, or the job's source")
        }
        return source
    }
}

extension BackupRecord {
    mutating func complete(_ result: ArchiveWriter.Result, at now: Timestamp) {
        status = .completed
        filename = result.name
        filePath = result.path
        fileSize = result.size
        recordCount = result.recordCount
        sha256 = result.sha256
        localState = .present
        errorMessage = nil
        finish(at: now)
    }

    mutating func fail(_ error: any Error, at now: Timestamp) {
        status = .failed
        errorMessage = "\(error)"
        localState = .none
        finish(at: now)
    }

    private mutating func finish(at now: Timestamp) {
        completedAt = now
        updatedAt = now
        durationSeconds = max(0, now.seconds(since: startedAt))
    }
}

extension BackupResponse {
    init(record: BackupRecord, copies: [CopyReport], warnings: [String]) {
        let primary = copies.first { $0.store == RemoteCopy.primaryStore }
        let replicas = copies.filter { $0.store != RemoteCopy.primaryStore }
        self.init(
            success: record.status == .completed, backupID: record.id, filename: record.filename,
            filePath: record.filePath, fileSize: record.fileSize, recordCount: record.recordCount,
            durationSeconds: record.durationSeconds ?? 0, s3Uploaded: primary?.uploaded ?? false,
            s3URL: primary?.url, s3Error: primary?.error, replicas: replicas.isEmpty ? nil : replicas,
            sha256: record.sha256 ?? "", warnings: warnings)
    }
}

extension BackupRequest {
    /// Whether it is the job's own backup, which can be compared with those before it.
    var isWhole: Bool { source == nil && includeTables == nil && excludeTables == nil }
}
