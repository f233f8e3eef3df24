internal import BackupArchive
internal import BackupCore
internal import Foundation

/// What a verification found.
package struct VerifyResponse: Sendable, Codable {
    package struct Item: Sendable, Codable {
        package var backupID: Int64?
        package var path: String
        package var ok: Bool
        package var recordCount: Int64
        package var tables: Int
        package var fileSize: Int64
        package var durationSeconds: Double
        /// Whether a manifest stood beside the archive and agreed with it.
        package var manifest: Bool
        /// `local`, or the name of the store that the copy was fetched from.
        package var source: String
        /// Why the local copy was not taken.
        package var sourceReason: String?
        package var error: String?

        private enum CodingKeys: String, CodingKey {
            case path, ok, tables, manifest, source, error
            case sourceReason = "source_reason"
            case backupID = "backup_id"
            case recordCount = "record_count"
            case fileSize = "file_size"
            case durationSeconds = "duration_seconds"
        }
    }

    package var ok: Bool
    package var verified: Int
    package var damaged: Int
    package var backups: [Item]
}

extension BackupEngine {
    /// Reads archives from end to end and checks every digest, count and row; writes down what it found.
    ///
    /// - Parameters:
    ///   - references: the backups to verify.
    ///   - job: all completed backups of this job as well.
    ///   - all: all completed backups as well.
    ///   - remote: every copy in a store instead of the local one.
    ///   - waits: for a copy that lies in an archive class.
    /// - Returns: one item for each; damage is an item that is not ok, not an error.
    package func verify(
        _ references: [BackupReference], job: JobReference? = nil, all: Bool = false, remote: Bool = false,
        waits: Bool = false
    ) async throws -> VerifyResponse {
        try await runVerb(named: "verify") { context in
            let run = VerifyRun(engine: self, context: context, isRemote: remote, waits: waits)
            var items: [VerifyResponse.Item] = []
            for reference in references { items += try run.verify(reference) }
            if all || job != nil {
                let jobID = try job.map { try self.findJob($0).id }
                for record in try self.catalog.records(jobID: jobID, status: .completed, limit: nil) {
                    items += try run.verify(record)
                }
            }
            let damaged = items.count { !$0.ok }
            return VerifyResponse(
                ok: damaged == 0, verified: items.count - damaged, damaged: damaged, backups: items)
        }
    }
}

/// One run of a verification.
private struct VerifyRun {
    let engine: BackupEngine
    let context: VerbContext
    /// The copies in stores are verified, not the local one.
    let isRemote: Bool
    let waits: Bool

    func verify(_ reference: BackupReference) throws -> [VerifyResponse.Item] {
        if let record = try engine.findRecord(reference), isRemote || record.status == .completed {
            return try verify(record)
        }
        let finder = CopyFinder(
            engine: engine, context: context, wish: CopyWish(choice: isRemote ? .s3 : .any, waits: waits))
        return [try read(try finder.find(reference))]
    }

    /// Damage, and a copy that is not there, are findings; everything else ends the run.
    func verify(_ record: BackupRecord) throws -> [VerifyResponse.Item] {
        guard isRemote else { return [try verifyBest(record)] }
        let copies = try engine.catalog.copies(backupID: record.id).filter { !$0.state.needsUpload || $0.size != nil }
        guard !copies.isEmpty else {
            return [failed(record, BackupCopy.local, "backup \(record.id) has no copy in a store")]
        }
        return try copies.map { try verify($0, of: record) }
    }

    private func verifyBest(_ record: BackupRecord) throws -> VerifyResponse.Item {
        let finder = CopyFinder(engine: engine, context: context, wish: CopyWish(waits: waits))
        do {
            return try read(try finder.find(record))
        } catch let error as BackupError where [.damaged, .notFound].contains(error.code) {
            try note(record, nil, BackupCopy.local, error)
            return failed(record, BackupCopy.local, error.description)
        }
    }

    private func verify(_ copy: RemoteCopy, of record: BackupRecord) throws -> VerifyResponse.Item {
        let finder = CopyFinder(engine: engine, context: context, wish: CopyWish(choice: .s3, waits: waits))
        do {
            return try read(try finder.find(record, in: [copy]))
        } catch let error as BackupError where [.damaged, .notFound, .remote, .configuration].contains(error.code) {
            var item = failed(record, copy.store, error.description)
            item.path = copy.place
            return item
        }
    }

    private func failed(_ record: BackupRecord, _ source: String, _ reason: String) -> VerifyResponse.Item {
        VerifyResponse.Item(
            backupID: record.id, path: record.filePath, ok: false, recordCount: 0, tables: 0, fileSize: 0,
            durationSeconds: 0, manifest: false, source: source, error: reason)
    }

    /// Reads a copy from end to end and writes down what it found.
    private func read(_ copy: BackupCopy) throws -> VerifyResponse.Item {
        let started = Timestamp.now()
        var item = VerifyResponse.Item(
            backupID: copy.record?.id, path: copy.path, ok: false, recordCount: 0, tables: 0, fileSize: 0,
            durationSeconds: 0, manifest: false, source: copy.source, sourceReason: copy.reason)
        var failure: BackupError?
        do {
            let archive = try ArchiveReader.open(path: copy.path)
            item.fileSize = Int64(archive.size)
            item.manifest = archive.manifest != nil
            let consumer = VerifyConsumer(
                expectedRows: archive.rowCount(of: nil), observer: engine.observer, cancellation: context.cancellation)
            let findings = try archive.read(tables: nil, workers: BackupEngine.workers, consumer: consumer)
            try copy.compare(findings, of: archive)
            item.recordCount = findings.recordCount
            item.tables = findings.tables.count
            item.ok = true
        } catch let error as BackupError where error.code == .damaged || error.code == .notFound {
            item.error = error.description
            failure = error
        }
        item.durationSeconds = Timestamp.now().seconds(since: started)
        if let record = copy.record { try note(record, started, copy.source, failure) }
        if copy.source != BackupCopy.local, let record = copy.record {
            item.path =
                try engine.catalog.copies(backupID: record.id).first { $0.store == copy.source }?.place ?? item.path
        }
        return item
    }

    private func note(_ record: BackupRecord, _ started: Timestamp?, _ source: String, _ failure: BackupError?) throws {
        guard var current = try engine.catalog.record(id: record.id) else { return }
        let now = Timestamp.now()
        if failure == nil { current.verifiedAt = now }
        if source == BackupCopy.local {
            current.localState = failure == nil ? .present : failure?.code == .damaged ? .damaged : .missing
        }
        current.updatedAt = now
        try engine.catalog.update(current)
        guard source != BackupCopy.local,
            var copy = try engine.catalog.copies(backupID: record.id).first(where: { $0.store == source })
        else { return }
        if let failure {
            copy.state = .damaged
            copy.error = failure.description
        } else {
            copy.verifiedAt = now
            // What was lost to sight and is good counts again.
            if copy.state == .missing || copy.state == .damaged {
                copy.state = .present
                copy.error = nil
            }
        }
        copy.updatedAt = now
        try engine.catalog.save(copy)
    }
}

/// Checks rows without keeping them.
private final class VerifyConsumer: ArchiveConsumer {
    private let expectedRows: Int64?
    private let observer: ProgressObserver
    private let cancellation: Cancellation

    init(expectedRows: Int64?, observer: @escaping ProgressObserver, cancellation: Cancellation) {
        self.expectedRows = expectedRows
        self.observer = observer
        self.cancellation = cancellation
    }

    func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)? {
        RowSyntaxCheck(isForeign: description == nil)
    }

    func endTable(_ totals: TableTotals) throws {}

    func advanced(table: String, rows: Int64, bytes: Int64) throws {
        try cancellation.check()
        observer(.progress(table: table, rows: rows, bytes: bytes, expectedRows: expectedRows))
    }
}
