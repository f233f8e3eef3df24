internal import BackupArchive
internal import BackupCatalog
internal import BackupCore
internal import BackupFiles
internal import Logging

extension BackupEngine {
    /// Closes the records of runs that are over and could not say so, since their process died or could not write the
    /// catalog, and removes what they left behind.
    package func sweep() async throws {
        try await BlockingThread.run(named: "sweep") { _ in
            self.outcomes.settle()
            try self.sweepDeadRuns()
        }
    }

    /// A run that died after its manifest had its name was a good one: its archive is hashed, and its record becomes
    /// `completed`. Any other becomes `failed`, and an archive that it had renamed but not committed is removed.
    func sweepDeadRuns() throws {
        let installation = try catalog.installationID()
        let directory = configuration.backupDirectory
        // The files before the records: a run is recorded before it makes a file, so that the record of any file seen
        // here is seen as well, and what a run begins meanwhile is not touched. Orders are given to what runs only.
        let files = BackupDirectory.temporaryFiles(in: directory, installation: installation)
        let orders = CancelOrder.paths(in: directory, installation: installation)
        FetchDirectory.sweep(in: directory, installation: installation)
        try sweepExports()
        var alive: [BackupRecord] = []
        for record in try catalog.records(jobID: nil, status: .running, limit: nil) {
            if try goesOn(record) {
                alive.append(record)
            } else {
                try close(record, installation: installation)
            }
        }
        let ids = Set(alive.map(\.id))
        for file in files where !ids.contains(file.recordID) { try FileOperations.remove(file.path) }
        let wanted = Set(alive.map { CancelOrder.path(for: $0, in: directory, installation: installation) })
        for order in orders where !wanted.contains(order) { try FileOperations.remove(order) }
    }

    /// Closes what earlier runs of a job left open. The caller holds the job's lock, so that none of them goes on.
    func closeEarlierRuns(of job: BackupJob) {
        do {
            outcomes.settle()
            let installation = try catalog.installationID()
            for record in try catalog.records(jobID: job.id, status: .running, limit: nil) {
                let isHere = FileOperations.isSame(lockDirectory(of: record), configuration.backupDirectory)
                guard try isHere || !goesOn(record) else { continue }
                try close(record, installation: installation)
            }
        } catch {
            // The next sweep tries again; the new run must not fail for an old one.
            logger.error("an earlier run of a job could not be closed", metadata: ["error": "\(error)"])
        }
    }

    /// Whether a run whose record says `running` goes on: each holds its job's lock from before its record is there
    /// until its end is written down. Which process it was says nothing: another host's may be looked at from here, and
    /// a number means another process in each container.
    func goesOn(_ record: BackupRecord) throws -> Bool {
        let name = try lockName(ofJob: record.jobID)
        do {
            return try JobLock.isHeld(directory: lockDirectory(of: record), jobUUID: name)
        } catch {
            logger.warning(
                "whether a run goes on cannot be known", metadata: ["backup.id": "\(record.id)", "error": "\(error)"])
            return true
        }
    }

    /// Where the run's process keeps its locks: beside its archives, which may be elsewhere than ours; here where that
    /// directory is gone or has another path for us.
    private func lockDirectory(of record: BackupRecord) -> String {
        let directory = FileOperations.directory(of: record.filePath)
        guard directory.hasPrefix("/"), FileOperations.exists(directory + "/.locks") else {
            return configuration.backupDirectory
        }
        return directory
    }

    /// Closes a record whose run is over.
    func close(_ dead: BackupRecord, installation: String) throws {
        // Its end may have been written since the record was read.
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
