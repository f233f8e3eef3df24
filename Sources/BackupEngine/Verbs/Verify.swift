internal import BackupArchive
internal import BackupCore
internal import Foundation

extension BackupEngine {
    /// Reads archives from end to end and checks every digest, count and row; writes down what it found.
    ///
    /// - Parameters:
    ///   - references: the backups to verify.
    ///   - job: all completed backups of this job as well.
    ///   - all: all completed backups as well.
    /// - Returns: one item for each; damage is an item that is not ok, not an error.
    package func verify(
        _ references: [BackupReference], job: JobReference? = nil, all: Bool = false
    ) async throws -> VerifyResponse {
        try await BlockingThread.run(named: "verify") { cancellation in
            var items: [VerifyResponse.Item] = []
            for reference in references {
                items.append(try self.verify(try self.locate(reference), cancellation))
            }
            if all || job != nil {
                let jobID = try job.map { try self.findJob($0).id }
                for record in try self.catalog.records(jobID: jobID, status: .completed, limit: nil) {
                    items.append(try self.verify(BackupCopy(path: record.filePath, record: record), cancellation))
                }
            }
            let damaged = items.count { !$0.ok }
            return VerifyResponse(
                ok: damaged == 0, verified: items.count - damaged, damaged: damaged, backups: items)
        }
    }

    private func verify(_ copy: BackupCopy, _ cancellation: Cancellation) throws -> VerifyResponse.Item {
        let started = Timestamp.now()
        var item = VerifyResponse.Item(
            backupID: copy.record?.id, path: copy.path, ok: false, recordCount: 0, tables: 0, fileSize: 0,
            durationSeconds: 0, manifest: false)
        var state = BackupRecord.CopyState.present
        do {
            let archive = try ArchiveReader.open(path: copy.path)
            item.fileSize = Int64(archive.size)
            item.manifest = archive.manifest != nil
            let consumer = VerifyConsumer(
                expectedRows: archive.rowCount(of: nil), observer: observer, cancellation: cancellation)
            let findings = try archive.read(tables: nil, workers: BackupEngine.workers, consumer: consumer)
            try copy.compare(findings, of: archive)
            item.recordCount = findings.recordCount
            item.tables = findings.tables.count
            item.ok = true
        } catch let error as BackupError where error.code == .damaged || error.code == .notFound {
            item.error = error.description
            state = error.code == .damaged ? .damaged : .missing
        }
        item.durationSeconds = Timestamp.now().seconds(since: started)
        if var record = copy.record {
            record.localState = state
            if item.ok { record.verifiedAt = Timestamp.now() }
            record.updatedAt = Timestamp.now()
            try catalog.update(record)
        }
        return item
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
