internal import BackupArchive
internal import BackupCatalog
internal import BackupCore
internal import BackupFiles
internal import CGlibc
internal import DatabaseSource
internal import Foundation
internal import Logging

/// One run of a backup, from the snapshot to the published files.
struct BackupRun {
    let engine: BackupEngine
    let request: BackupRequest
    let job: BackupJob
    let source: DatabaseURL
    private let context: VerbContext
    private let watch: RunWatch
    /// Of the attempt that goes on.
    private var cancellation: Cancellation
    private(set) var warnings: [String] = []

    init(
        engine: BackupEngine, request: BackupRequest, job: BackupJob, source: DatabaseURL, context: VerbContext,
        watch: RunWatch
    ) {
        self.engine = engine
        self.request = request
        self.job = job
        self.source = source
        self.context = context
        self.watch = watch
        cancellation = context.cancellation
    }

    /// Begins anew where what ended an attempt may pass. The job's lock is held during the pauses too: to everyone else
    /// this is one run, whose record says `running`.
    mutating func writeInAttempts(record: BackupRecord, stem: String) throws -> ArchiveWriter.Result {
        var plan = RetryPlan(retries: job.options.retries, base: engine.configuration.retryDelay)
        var attempt = 1
        while true {
            do {
                cancellation = watch.beginAttempt()
                defer { watch.endAttempt() }
                return try write(record: record, stem: stem)
            } catch {
                try context.cancellation.check()
                guard var failure = cancellation.explained(error) as? BackupError else { throw error }
                guard let pause = plan.pause(after: failure, jitter: .random(in: 0...1)) else {
                    if attempt > 1 {
                        failure.message = "\(attempt) attempts failed, the last one so: \(failure.message)"
                    }
                    throw failure
                }
                let seconds = (pause / .seconds(0.1)).rounded() / 10
                warn(["attempt \(attempt) failed, and the backup begins anew in \(seconds) s: \(failure)"])
                try context.wait { try await Task.sleep(for: pause) }
                attempt += 1
            }
        }
    }

    private mutating func write(record: BackupRecord, stem: String) throws -> ArchiveWriter.Result {
        let installation = try engine.catalog.installationID()
        var options = snapshotOptions()
        if request.stage {
            options.stagingPath = BackupDirectory.stagingPath(
                in: engine.configuration.backupDirectory, stem: stem, installation: installation, recordID: record.id)
        }
        let snapshot = try Databases.openSnapshot(source, options: options)
        engine.observer(.step(.snapshotTaken))
        warn(snapshot.warnings)
        try refuseSuddenEmptiness(snapshot, record)
        var description = snapshot.source
        description.identity = record.content?.identity
        description.scope = record.content?.scope
        let writer = try ArchiveWriter(
            temporaryPath: BackupDirectory.temporaryPath(
                in: engine.configuration.backupDirectory, stem: stem, installation: installation,
                recordID: record.id),
            header: ArchiveHeader(
                timestamp: record.startedAt, jobID: job.id, jobName: job.name,
                generator: ArchiveGenerator(
                    version: ProgramVersion.current, installation: installation, job: job.uuid),
                source: try JSONValue.encode(description), tables: snapshot.schema.tables,
                ledger: try JSONValue.encode(snapshot.schema.ledger), definitions: snapshot.schema.definitions),
            compression: engine.configuration.compression, workers: BackupEngine.workers)
        engine.observer(.step(.archiveCreated))
        // What the start of the program and the snapshot needed of it is not needed any more.
        eb_return_program_pages()
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

    private func snapshotOptions() -> SnapshotOptions {
        var options = engine.snapshotOptions(of: source, cancellation)
        options.includedTables = request.includeTables ?? job.includeTables
        options.excludedTables = request.excludeTables ?? job.excludeTables ?? []
        return options
    }

    /// A database that lost all its tables since the last backup is a mishap, not a backup.
    private func refuseSuddenEmptiness(_ snapshot: any DatabaseSnapshot, _ record: BackupRecord) throws {
        guard snapshot.schema.tables.isEmpty else { return }
        let last = try engine.predecessors(of: record, isOwn: request.isWhole, limit: 1).first
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
