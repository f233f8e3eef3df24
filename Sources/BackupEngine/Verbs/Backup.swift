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
        let source = try source(of: request, job)
        try BackupDirectory.prepare(configuration.backupDirectory)
        let lock = try JobLock.acquire(directory: configuration.backupDirectory, jobUUID: job.uuid)
        let outcome = Result { try runLocked(request, job, source, context) }
        _ = consume lock
        return try outcome.get()
    }

    private func runLocked(
        _ request: BackupRequest, _ job: BackupJob, _ source: DatabaseURL, _ context: VerbContext
    ) throws -> BackupResponse {
        let started = Timestamp.now()
        let stem = ArchiveName.stem(jobID: job.id, at: started)
        var record = try catalog.beginRun(
            jobID: job.id, filename: stem + ArchiveName.fileExtension,
            filePath: configuration.backupDirectory + "/" + stem + ArchiveName.fileExtension, process: .current(),
            at: started)
        observer(.step(.backupRecorded))
        logger.debug("backup started", metadata: ["job.id": "\(job.id)", "backup.id": "\(record.id)"])
        var run = BackupRun(
            engine: self, request: request, job: job, source: source, cancellation: context.cancellation)
        do {
            let result = try run.writeInAttempts(record: record, stem: stem)
            record.complete(result, at: Timestamp.now())
        } catch {
            record.fail(error, at: Timestamp.now())
            do {
                try catalog.update(record)
            } catch let second {
                // The next start's sweep closes the record; the first error is the one that matters.
                logger.error("catalog update failed", metadata: ["error": "\(second)"])
            }
            throw error
        }
        try writeDown(record)
        let copies = request.uploads ? try copyOutOrExplain(record, job, context) : nil
        run.warn(copies?.warnings ?? [])
        run.warn(expire(job, context))
        return BackupResponse(record: record, copies: copies?.reports ?? [], warnings: run.warnings)
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
                "backup \(record.id) is complete (\(record.filePath)); its copy to a store was cancelled, and the next run "
                    + "goes on with it")
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
            return outcome.failures.map(\.reason)
        } catch {
            return ["retention could not delete an old backup: \(error)"]
        }
    }

    private func source(of request: BackupRequest, _ job: BackupJob) throws -> DatabaseURL {
        if let source = request.source { return source }
        if let source = job.source { return try DatabaseURL(source) }
        guard let source = configuration.source else {
            throw BackupError(.usage, "no database to back up: give --source, or set DATABASE_URL, or the job's source")
        }
        return source
    }
}

/// One run of a backup, from the snapshot to the published files.
private struct BackupRun {
    let engine: BackupEngine
    let request: BackupRequest
    let job: BackupJob
    let source: DatabaseURL
    let cancellation: Cancellation
    private(set) var warnings: [String] = []

    init(
        engine: BackupEngine, request: BackupRequest, job: BackupJob, source: DatabaseURL, cancellation: Cancellation
    ) {
        self.engine = engine
        self.request = request
        self.job = job
        self.source = source
        self.cancellation = cancellation
    }

    /// How often a run is begun whose failures are of the moment.
    private static let attempts = 3

    /// Begins anew where what ended the run may pass: a standby that had to go on.
    mutating func writeInAttempts(record: BackupRecord, stem: String) throws -> ArchiveWriter.Result {
        for attempt in 1...BackupRun.attempts {
            do {
                return try write(record: record, stem: stem)
            } catch let error as BackupError where error.isTransient {
                guard attempt < BackupRun.attempts else {
                    var last = error
                    last.message = "\(BackupRun.attempts) attempts failed, the last one so: \(error.message)"
                    throw last
                }
                try cancellation.check()
                warn(["attempt \(attempt) of \(BackupRun.attempts) failed, and the backup begins anew: \(error)"])
            }
        }
        throw BackupError(.internal, "a backup ended without an attempt")
    }

    private mutating func write(record: BackupRecord, stem: String) throws -> ArchiveWriter.Result {
        let snapshot = try Databases.openSnapshot(source, options: try snapshotOptions())
        engine.observer(.step(.snapshotTaken))
        warn(snapshot.warnings)
        try refuseSuddenEmptiness(snapshot)
        let installation = try engine.catalog.installationID()
        let writer = try ArchiveWriter(
            temporaryPath: BackupDirectory.temporaryPath(
                in: engine.configuration.backupDirectory, stem: stem, installation: installation,
                recordID: record.id),
            header: ArchiveHeader(
                timestamp: record.startedAt, jobID: job.id, jobName: job.name,
                generator: ArchiveGenerator(
                    version: ProgramVersion.current, installation: installation, job: job.uuid),
                source: try JSONValue.encode(snapshot.source), tables: snapshot.schema.tables,
                ledger: try JSONValue.encode(snapshot.schema.ledger), definitions: snapshot.schema.definitions),
            compression: engine.configuration.compression, workers: BackupEngine.workers)
        engine.observer(.step(.archiveCreated))
        var rows: Int64 = 0
        var bytes: Int64 = 0
        for table in snapshot.schema.tables {
            do {
                try write(table, of: snapshot, to: writer, &rows, &bytes)
            } catch let error as BackupError {
                throw error.located("table \"\(table.name)\"")
            }
            engine.observer(.step(.tableWritten))
        }
        let report = try snapshot.close()
        if let fault = report.fault { throw fault }
        warn(report.warnings)
        if let held = report.held {
            engine.logger.info("the snapshot held back vacuum", metadata: ["seconds": "\(held.components.seconds)"])
        }
        if let growth = report.logGrowth, growth > 0 {
            engine.logger.debug("write-ahead log grew", metadata: ["bytes": "\(growth)"])
            warn(["the database's write-ahead log grew by \(growth) bytes while the backup read it"])
        }
        try writer.finish { engine.observer(.step($0.progressStep)) }
        try cancellation.check()
        return try writer.publish(directory: engine.configuration.backupDirectory, stem: stem) {
            engine.observer(.step($0.progressStep))
        }
    }

    private func write(
        _ table: TableDescription, of snapshot: any DatabaseSnapshot, to writer: ArchiveWriter, _ rows: inout Int64,
        _ bytes: inout Int64
    ) throws {
        let reader = try snapshot.reader(for: table)
        try writer.beginTable(table)
        var isLarge = false
        while true {
            try cancellation.check()
            let batch = try writer.nextBatch(alone: isLarge)
            let result = try reader.fill(batch, acceptsLargeRow: isLarge)
            rows += Int64(batch.rowCount)
            bytes += Int64(batch.count)
            if result == .largeRowNext, batch.rowCount == 0, !isLarge {
                // The batch goes back unused: a table may begin with its largest row.
                writer.giveBack()
            } else {
                try writer.submit(last: result == .last, alone: isLarge)
            }
            engine.observer(
                .progress(
                    table: table.name, rows: rows, bytes: bytes, expectedRows: snapshot.estimatedRows.map(Int64.init)))
            if result == .last { return }
            isLarge = result == .largeRowNext
        }
    }

    private func snapshotOptions() throws -> SnapshotOptions {
        var options = SnapshotOptions()
        options.includedTables = request.includeTables ?? job.includeTables
        options.excludedTables = request.excludeTables ?? job.excludeTables ?? []
        options.maximumRow = engine.configuration.maximumRow
        options.lockTimeout = engine.configuration.lockTimeout
        options.statementTimeout = engine.configuration.statementTimeout
        options.programDirectories = engine.configuration.programDirectories
        options.sourceCheck = engine.configuration.sourceCheck
        options.maximumLogGrowth = engine.configuration.maximumLogGrowth
        options.connections = engine.configuration.jobs
        options.isCancelled = { [cancellation] in cancellation.isCancelled }
        if request.stage { options.stagingDirectory = engine.configuration.backupDirectory }
        if engine.catalogLives(in: source) { options.secretColumns = SQLiteCatalog.secretColumns }
        return options
    }

    /// A database that lost all its tables since the last backup is a mishap, not a backup.
    private func refuseSuddenEmptiness(_ snapshot: any DatabaseSnapshot) throws {
        guard snapshot.schema.tables.isEmpty else { return }
        let last = try engine.catalog.records(jobID: job.id, status: .completed, limit: 1).first
        guard let last, last.recordCount > 0 else { return }
        throw BackupError(
            .source,
            "the database has no tables, while the last backup (\(last.filename)) held \(last.recordCount) "
                + "records; check that \(source.redacted) is the right database")
    }

    mutating func warn(_ lines: [String]) {
        // An attempt that failed has told of some already.
        for line in lines where !warnings.contains(line) {
            warnings.append(line)
            engine.observer(.warning(line))
        }
    }
}

extension ArchiveWriter.Step {
    var progressStep: ProgressEvent.Step {
        switch self {
        case .archiveWritten: .archiveWritten
        case .archiveSynced: .archiveSynced
        case .archiveRenamed: .archiveRenamed
        case .manifestWritten: .manifestWritten
        case .manifestRenamed: .manifestRenamed
        case .directorySynced: .directorySynced
        }
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
