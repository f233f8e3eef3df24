internal import BackupArchive
internal import BackupCatalog
internal import BackupCore
internal import BackupFiles
internal import Logging

extension BackupEngine {
    /// Closes the records of runs whose process is gone, and removes what they left behind.
    ///
    /// A run that died after its manifest had its name was a good one: its archive is hashed, and its record becomes
    /// `completed`. Any other becomes `failed`, and an archive that it had renamed but not committed is removed.
    func sweepDeadRuns() throws {
        let installation = try catalog.installationID()
        // The files before the records: a run is recorded before it makes a file, so that the record of any file seen
        // here is seen as well, and what a run begins meanwhile is not touched.
        let files = BackupDirectory.temporaryFiles(in: configuration.backupDirectory, installation: installation)
        FetchDirectory.sweep(in: configuration.backupDirectory, installation: installation)
        try sweepExports()
        let running = try catalog.records(jobID: nil, status: .running, limit: nil)
        let dead = running.filter { $0.process?.isAlive == false || $0.process == nil }
        for record in dead { try close(record, installation: installation) }
        let alive = Set(running.map(\.id)).subtracting(dead.map(\.id))
        for file in files where !alive.contains(file.recordID) {
            try FileOperations.remove(file.path)
        }
    }

    private func close(_ dead: BackupRecord, installation: String) throws {
        // The process may have ended its run, and itself, since the record was read.
        guard var record = try catalog.record(id: dead.id), record.status == .running else { return }
        let now = Timestamp.now()
        if let committed = try committedArchive(of: record, installation: installation) {
            record.complete(committed, at: now)
            logger.info("a run that had died after its commit was completed", metadata: ["backup.id": "\(record.id)"])
        } else {
            record.fail(
                BackupError(.cancelled, "the process that ran this backup died before it was complete; run it again"),
                at: now)
            logger.info("the run of a dead process was closed", metadata: ["backup.id": "\(record.id)"])
        }
        try catalog.update(record)
    }

    /// The archive that a dead run had committed; removes one that it had not.
    private func committedArchive(
        of record: BackupRecord, installation: String
    ) throws -> ArchiveWriter.Result? {
        let stem =
            record.filePath.hasSuffix(ArchiveName.fileExtension)
            ? String(record.filePath.dropLast(ArchiveName.fileExtension.count)) : record.filePath
        for attempt in 1...1000 {
            let path = stem + (attempt == 1 ? "" : "_\(attempt)") + ArchiveName.fileExtension
            guard FileOperations.exists(path) else { return nil }
            guard let archive = try? ArchiveReader.open(path: path, usingManifest: false), archive.form == .members,
                archive.header.generator?.installation == installation, archive.header.jobID == record.jobID,
                archive.header.timestamp == record.startedAt
            else { continue }
            guard ArchiveCopy.hasManifest(path) else {
                try ArchiveCopy.remove(path)
                return nil
            }
            guard let manifest = try? ArchiveReader.open(path: path).manifest,
                try ArchiveCopy.sha256(of: path) == manifest.archiveSHA256
            else { return nil }
            return ArchiveWriter.Result(
                path: path, name: path.split(separator: "/").last.map(String.init) ?? path,
                size: Int64(manifest.archiveSize), sha256: manifest.archiveSHA256,
                tables: manifest.tables.map(\.totals))
        }
        return nil
    }
}
