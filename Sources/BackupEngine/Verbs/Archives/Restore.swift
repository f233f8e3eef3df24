internal import BackupArchive
internal import BackupCatalog
internal import BackupCore
internal import DatabaseSource
internal import Foundation

extension BackupEngine {
    /// Restores a backup into a database: all of it, or nothing.
    ///
    /// - Throws: `notFound`, `damaged`, `target`, …; the target is then as it was.
    package func restore(_ request: RestoreRequest) async throws -> RestoreResponse {
        try await audited(
            "restore", "backup \(request.backup.text)",
            detail: (request.dryRun ? "dry run into " : "into ") + request.target.redacted,
            describe: { "\($0.restoredTables) tables, \($0.totalRecords) records" }
        ) {
            try await restoreUnaudited(request)
        }
    }

    /// A restore for a verb that has its own entry in the audit log.
    func restoreUnaudited(_ request: RestoreRequest) async throws -> RestoreResponse {
        guard request.tables?.isEmpty != true else {
            throw BackupError(.usage, "the list of tables to restore is empty; name some, or leave it out for all")
        }
        return try await runVerb(named: "restore") { context in
            do {
                return try self.runRestore(request, context)
            } catch let error as BackupError where error.code == .source {
                // The database's own refusals do not know what it is opened for; here it is the target.
                throw BackupError(.target, error.message, location: error.location)
            }
        }
    }

    private func runRestore(_ request: RestoreRequest, _ context: VerbContext) throws -> RestoreResponse {
        let started = Timestamp.now()
        let cancellation = context.cancellation
        let wish = CopyWish(choice: request.from, isPartial: request.tables != nil, waits: request.waits)
        let copy = try CopyFinder(engine: self, context: context, wish: wish).find(request.backup)
        if let reason = copy.reason { observer(.warning("\(reason); the copy on \(copy.source) is taken")) }
        let archive = try ArchiveReader.open(path: copy.path)
        let target = Databases.target(request.target)
        defer { target.rollback() }
        let options = try restoreOptions(request, cancellation)
        try target.prepare(try archive.contents(), options: options)
        observer(.step(.targetPrepared))

        let chosen = tablesToRead(archive, target, request)
        try copy.sparse?.require(chosen)
        if target.needsSurvey {
            let survey = RestoreConsumer(
                target: target, mode: .survey, expectedRows: nil, observer: observer, cancellation: cancellation)
            _ = try archive.read(tables: chosen, workers: BackupEngine.workers, consumer: survey)
            try target.endSurvey()
        }
        let consumer = RestoreConsumer(
            target: target, mode: .load, expectedRows: archive.rowCount(of: chosen), observer: observer,
            cancellation: cancellation)
        let findings = try archive.read(tables: chosen, workers: BackupEngine.workers, consumer: consumer)
        try copy.compare(findings, of: archive)
        var warnings = try target.finishLoading().warnings
        observer(.step(.loadingFinished))
        if request.prove {
            try prove(findings.tables, in: target, cancellation)
            observer(.step(.targetProven))
        }
        try cancellation.check()
        if request.dryRun {
            target.rollback()
        } else {
            warnings += try target.commit()
            observer(.step(.targetCommitted))
        }
        for warning in warnings { observer(.warning(warning)) }
        if findings.tables.isEmpty { warnings.append("the backup holds no tables") }
        var response = RestoreResponse(findings, request, copy, warnings: warnings)
        response.fetchedBytes = context.stores.received
        response.durationSeconds = Timestamp.now().seconds(since: started)
        return response
    }

    /// The tables to read; nil where that is all of them, for then every byte of the file is checked.
    private func tablesToRead(
        _ archive: ArchiveReader, _ target: any RestoreTarget, _ request: RestoreRequest
    ) -> Set<ExactName>? {
        guard let chosen = target.tablesToLoad ?? request.tables?.exactNames else { return nil }
        guard archive.form == .members else { return chosen }
        return chosen.isSuperset(of: archive.header.tables.map(\.name).exactNames) ? nil : chosen
    }

    private func restoreOptions(
        _ request: RestoreRequest, _ cancellation: Cancellation
    ) throws -> RestoreOptions {
        var options = RestoreOptions()
        options.tables = request.tables
        options.dryRun = request.dryRun
        options.clearExisting = request.clearExisting
        options.regenerateIDs = request.regenerateIDs
        options.dataOnly = request.dataOnly
        options.trustSchema = request.trustSchema
        options.skipsOwners = request.noOwner
        options.jobs = request.jobs
        options.installation = try catalog.installationID()
        options.lockTimeout = configuration.lockTimeout
        options.statementTimeout = configuration.statementTimeout
        options.isCancelled = { cancellation.isCancelled }
        if catalogLives(in: request.target) { options.protectedTables = SQLiteCatalog.tables }
        return options
    }

    /// Reads the target back and compares its digests with those of the archive's rows.
    private func prove(_ tables: [TableTotals], in target: any RestoreTarget, _ cancellation: Cancellation) throws {
        let snapshot = try target.proof()
        let loaded = Dictionary(tables.map { (ExactName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        let batch = RowBatch()
        for description in snapshot.schema.tables {
            guard let expected = loaded[ExactName(description.name)] else {
                throw BackupError(
                    .internal,
                    "the proof failed: the archive was read without its table \"\(description.name)\"; nothing was "
                        + "changed. Please report this")
            }
            let reader = try snapshot.reader(for: description)
            var found = TableTotals(name: description.name)
            while true {
                try cancellation.check()
                batch.reset()
                let result = try reader.fill(batch, acceptsLargeRow: true)
                found.rows += Int64(batch.rowCount)
                found.digest.add(batch.digest)
                if result == .last { break }
            }
            guard found == expected else {
                throw BackupError(
                    .target,
                    "the proof failed: table \"\(found.name)\" reads back as \(found.rows) rows with digest "
                        + "\(found.digest.hexadecimal), the backup holds \(expected.rows) with "
                        + "\(expected.digest.hexadecimal); nothing was changed. A column of the target may convert "
                        + "what is put into it: compare the definitions")
            }
        }
        _ = try snapshot.close()
    }
}

extension RestoreResponse {
    fileprivate init(
        _ findings: ArchiveReader.Findings, _ request: RestoreRequest, _ copy: BackupCopy, warnings: [String]
    ) {
        self.init(
            backupID: copy.record?.id, dryRun: request.dryRun, restoredTables: findings.tables.count,
            totalRecords: findings.recordCount,
            restoredCounts: TableCounts(findings.tables.map { ($0.name, $0.rows) }), errors: [:],
            proven: request.prove, source: copy.source, sourceReason: copy.reason, fetchedBytes: 0,
            durationSeconds: 0, warnings: warnings)
    }
}

extension ArchiveReader {
    /// How many rows the manifest promises, in all tables or in those that were chosen; nil without a manifest.
    func rowCount(of tables: Set<ExactName>?) -> Int64? {
        manifest?.tables.reduce(0) { $0 + (tables?.contains(ExactName($1.totals.name)) ?? true ? $1.totals.rows : 0) }
    }

    /// What a target needs to know before rows come.
    func contents() throws -> ArchiveContents {
        // An export says what its columns mean, and defines nothing.
        guard let source = header.source, let definitions = form == .plain ? [] : header.definitions else {
            return ArchiveContents(source: nil, schema: nil)
        }
        return ArchiveContents(
            source: try JSONValue.decode(SourceDescription.self, source),
            schema: SchemaDocument(
                tables: header.tables,
                ledger: try header.ledger.map { try JSONValue.decode([LedgerEntry].self, $0) } ?? [],
                definitions: definitions))
    }
}

/// Hands the rows of an archive to a target.
private final class RestoreConsumer: ArchiveConsumer {
    enum Mode { case survey, load }

    private let target: any RestoreTarget
    private let mode: Mode
    private let expectedRows: Int64?
    private let observer: ProgressObserver
    private let cancellation: Cancellation

    init(
        target: any RestoreTarget, mode: Mode, expectedRows: Int64?, observer: @escaping ProgressObserver,
        cancellation: Cancellation
    ) {
        self.target = target
        self.mode = mode
        self.expectedRows = expectedRows
        self.observer = observer
        self.cancellation = cancellation
    }

    func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)? {
        try LoaderStage(loader: target.loader(forTable: name, description: description), surveys: mode == .survey)
    }

    func endTable(_ totals: TableTotals) throws {
        if mode == .load { observer(.step(.tableLoaded)) }
    }

    func advanced(table: String, rows: Int64, bytes: Int64) throws {
        try cancellation.check()
        if mode == .load { observer(.progress(table: table, rows: rows, bytes: bytes, expectedRows: expectedRows)) }
    }
}

/// A loader as the stage of a reading.
private final class LoaderStage: RowStage {
    /// Wraps what the loader decodes into.
    private final class Buffer: Sendable {
        let rows: any DecodedRows
        init(_ rows: any DecodedRows) { self.rows = rows }
    }

    private let loader: any TableLoader
    private let surveys: Bool

    init(loader: any TableLoader, surveys: Bool) {
        self.loader = loader
        self.surveys = surveys
    }

    func makeBuffer() -> (any AnyObject & Sendable)? { Buffer(loader.makeBuffer()) }

    func process(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
        guard let buffer = buffer as? Buffer else { return }
        try loader.decode(batch, into: buffer.rows)
    }

    func deliver(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
        guard let buffer = buffer as? Buffer else { return }
        if surveys {
            try loader.survey(buffer.rows)
        } else {
            try loader.load(buffer.rows)
        }
    }
}
