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
        let announcer = await Announcer(self, request.job)
        let outcome: Result<BackupResponse, any Error>
        do {
            outcome = .success(
                try await audited(
                    "job.run", "job \(request.job?.text ?? BackupEngine.defaultJobName)",
                    describe: { "backup \($0.backupID)" }
                ) { try await runVerb(named: "backup") { try self.runBackup(request, announcer, $0) } })
        } catch {
            outcome = .failure(error)
        }
        // When the next run of the job may begin already: who is told may be slow to listen.
        if let control, control.announcesLater {
            control.leave { _ = await announcer.tell(outcome) }
            return try outcome.get()
        }
        // In a task that is not cancelled: the end of a cancelled run is told as well.
        let faults = await Task { await announcer.tell(outcome) }.value
        await settleOutcomes()
        var response = try outcome.get()
        response.warnings += faults
        return response
    }

    private func runBackup(
        _ request: BackupRequest, _ announcer: Announcer, _ context: VerbContext
    ) throws -> BackupResponse {
        let job: BackupJob
        if let known = announcer.job {
            job = known
        } else {
            job = try request.job.map { try findJob($0) } ?? defaultJob()
            announcer.use(job)
        }
        // From here on the run has its own.
        _ = context.stores.use(job)
        let source = try source(of: request, job)
        try BackupDirectory.prepare(configuration.backupDirectory)
        let lock = try JobLock.acquire(directory: configuration.backupDirectory, jobUUID: job.uuid)
        closeEarlierRuns(of: job)
        let outcome = Result { try runLocked(request, job, source, context, announcer) }
        _ = consume lock
        return try outcome.get()
    }

    private func runLocked(
        _ request: BackupRequest, _ job: BackupJob, _ source: DatabaseURL, _ context: VerbContext,
        _ announcer: Announcer
    ) throws -> BackupResponse {
        let installation = try catalog.installationID()
        let started = Timestamp.now()
        let stem = ArchiveName.stem(jobID: job.id, at: started)
        var record = try catalog.beginRun(
            jobID: job.id, filename: stem + ArchiveName.fileExtension,
            filePath: configuration.backupDirectory + "/" + stem + ArchiveName.fileExtension,
            content: content(of: request, job, source), process: .current(), at: started)
        defer { announcer.note(record) }
        observer(.began(backupID: record.id))
        observer(.step(.backupRecorded))
        logger.debug("backup started", metadata: ["job.id": "\(job.id)", "backup.id": "\(record.id)"])
        let watch = RunWatch(
            job.options, context.cancellation,
            order: CancelOrder.path(for: record, in: configuration.backupDirectory, installation: installation))
        watch.start()
        defer { watch.end() }
        var run = BackupRun(
            engine: observed { _ in watch.noteProgress() }, request: request, job: job, source: source,
            context: context, watch: watch)
        let hooks = JobHooks(job, logger, context)
        do {
            announcer.tellBeginning(record, context)
            try job.requireReadable()
            try hooks.runBefore(record)
            record.complete(try run.writeInAttempts(record: record, stem: stem), at: Timestamp.now())
        } catch {
            let error = context.cancellation.explained(error)
            record.fail(error, at: Timestamp.now())
            // What went wrong first is what matters; what the catalog cannot be told now is tried again.
            try? outcomes.write(record)
            run.warn(hooks.runAfter(record))
            throw error
        }
        do {
            let response = try finish(record, job, &run, context)
            if request.isWhole { announcer.compare(record, job, &run) }
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

    private func writeDown(_ completed: BackupRecord) throws {
        do {
            try outcomes.write(completed)
        } catch {
            throw BackupError(
                .catalog,
                "the backup is complete (\(completed.filePath)), but the catalog could not be told: \(error); "
                    + "that is tried again, at the latest by the next start of elder-backup")
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
