internal import BackupArchive
internal import BackupCore
internal import BackupFiles
internal import Foundation

/// What `catalog rebuild` found.
package struct CatalogRebuildResponse: Sendable, Codable {
    /// Archives that were added to the catalog.
    package var adopted: Int
    /// Archives that the catalog knew.
    package var known: Int
    /// Files that were left alone, each with the reason.
    package var skipped: [String]
    /// What the user should know, each a line.
    package var warnings: [String] = []

    static func += (response: inout CatalogRebuildResponse, other: CatalogRebuildResponse) {
        response.adopted += other.adopted
        response.known += other.known
        response.skipped += other.skipped
        response.warnings += other.warnings
    }
}

extension BackupEngine {
    /// Adds all archives of a directory that the catalog does not know, with their jobs, from the files alone.
    package func rebuildCatalog(fromDirectory directory: String) async throws -> CatalogRebuildResponse {
        try await audited("catalog.rebuild", directory, describe: { "adopted \($0.adopted)" }) {
            try await adoptArchives(of: directory)
        }
    }

    private func adoptArchives(of directory: String) async throws -> CatalogRebuildResponse {
        try await BlockingThread.run(named: "rebuild") { cancellation in
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: directory)
            } catch {
                throw BackupError(
                    .storage, "cannot read the directory \(directory): check that it exists and is readable")
            }
            var response = CatalogRebuildResponse(adopted: 0, known: 0, skipped: [])
            // In the order of making, which the catalog's ids stand for.
            let archives = names.filter { $0.hasPrefix("backup_") && $0.hasSuffix(ArchiveName.fileExtension) }
                .sorted { (ArchiveName.order($0), $0) < (ArchiveName.order($1), $1) }
            for name in archives {
                try cancellation.check()
                let path = directory + "/" + name
                if try self.catalog.records(filename: name).contains(where: { FileOperations.isSame($0.filePath, path) }
                ) {
                    response.known += 1
                    continue
                }
                do {
                    try self.adopt(name: name, path: path)
                    response.adopted += 1
                } catch let error as BackupError where error.code != .catalog {
                    response.skipped.append("\(name): \(error)")
                }
            }
            return response
        }
    }

    private func adopt(name: String, path: String) throws {
        let archive = try ArchiveReader.open(path: path)
        var header = archive.header
        var recordCount: Int64
        let sha256: String
        if let manifest = archive.manifest {
            recordCount = manifest.recordCount
            sha256 = try ArchiveCopy.sha256(of: path)
            guard sha256 == manifest.archiveSHA256 else {
                throw BackupError(.damaged, "its SHA-256 differs from its manifest's; it is damaged")
            }
        } else {
            guard archive.form == .plain else {
                throw BackupError(.damaged, "it has no manifest; if it is whole, \"archive reindex\" makes one")
            }
            let findings = try archive.read(
                tables: nil, workers: BackupEngine.workers, consumer: RowCollector { _, _ in })
            header = findings.header
            recordCount = findings.recordCount
            sha256 = try ArchiveCopy.sha256(of: path)
        }
        let job = try adoptJob(of: header)
        let started = header.timestamp ?? ArchiveName.time(in: name) ?? Timestamp.now()
        let now = Timestamp.now()
        var record = BackupRecord(
            id: 0, jobID: job, filename: name, filePath: absolutePath(path), fileSize: Int64(archive.size),
            recordCount: recordCount, status: .completed, startedAt: started, completedAt: started,
            createdAt: started, updatedAt: now, sha256: sha256, localState: .present)
        record.content = header.content
        _ = try catalog.adopt(record)
    }

    /// The job of an archive: the one that has its UUID, the one that has its id and name, or a new one.
    func adoptJob(of header: ArchiveHeader) throws -> Int64 {
        let jobs = try catalog.jobs(enabled: nil)
        let name = header.jobName ?? BackupEngine.defaultJobName
        if let uuid = header.generator?.job, let job = jobs.first(where: { $0.uuid == uuid }) { return job.id }
        if header.generator == nil, let job = jobs.first(where: { $0.id == header.jobID || $0.name == name }) {
            return job.id
        }
        let taken = Set(jobs.map(\.id))
        let now = Timestamp.now()
        var id = header.jobID ?? 1
        if taken.contains(id) || id < 1 { id = (taken.max() ?? 0) + 1 }
        let names = Set(jobs.map(\.name))
        let uuid = header.generator?.job ?? UUID().uuidString.lowercased()
        try catalog.adoptJob(
            BackupJob(
                id: id, uuid: uuid, name: names.contains(name) ? "\(name) (\(uuid.prefix(8)))" : name,
                retention: RetentionPolicy(days: configuration.retentionDays), createdAt: header.timestamp ?? now,
                updatedAt: now))
        return id
    }

    private func absolutePath(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
