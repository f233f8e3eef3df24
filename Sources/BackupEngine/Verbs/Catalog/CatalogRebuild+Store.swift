internal import BackupArchive
internal import BackupCore
internal import BackupFiles
internal import Foundation

extension BackupEngine {
    /// Adds all archives of the primary store that the catalog does not know, with their jobs, from their manifests; and
    /// of the stores that jobs of the catalog have of their own.
    ///
    /// What another installation has put there is taken over only where that cannot be meant otherwise: it is named, or
    /// it is the only one, and this installation has nothing there. From then on this catalog's retention may delete it.
    ///
    /// - Parameter installation: the UUID of an installation whose backups are to be taken over.
    package func rebuildCatalogFromStore(installation: String? = nil) async throws -> CatalogRebuildResponse {
        try await audited("catalog.rebuild", RemoteCopy.primaryStore, describe: { "adopted \($0.adopted)" }) {
            try await runVerb(named: "rebuild") { context in
                let own = try self.catalog.installationID()
                let wanted = installation?.lowercased()
                var response = CatalogRebuildResponse(adopted: 0, known: 0, skipped: [])
                let jobs = try self.catalog.jobs(enabled: nil).filter {
                    context.stores.use($0).own?.bucket.isEmpty == false
                }
                if context.stores.settings != nil || jobs.isEmpty {
                    let store = try context.stores.store(RemoteCopy.primaryStore)
                    response = try StoreRebuild(engine: self, context: context, store: store, installation: own)
                        .run(takingOver: wanted)
                }
                var seen = [context.stores.settings?.primary].compactMap { $0?.location }
                for job in jobs {
                    guard let location = context.stores.use(job).own?.location, !seen.contains(location) else {
                        continue
                    }
                    seen.append(location)
                    do {
                        let store = try context.stores.store(RemoteCopy.primaryStore, ofJob: job.id)
                        response += try StoreRebuild(engine: self, context: context, store: store, installation: own)
                            .run(takingOver: wanted)
                    } catch let error as BackupError where error.code == .remote || error.code == .configuration {
                        // The other stores may answer.
                        response.warnings.append("the store of job \(job.id) \"\(job.name)\" was not read: \(error)")
                    }
                }
                return response
            }
        }
    }
}

/// One run of a rebuild from a store.
private struct StoreRebuild {
    let engine: BackupEngine
    let context: VerbContext
    let store: RemoteStore
    let installation: String

    /// An archive that the catalog does not know.
    private struct Stranger {
        var listed: ListedArchive
        var object: RemoteObject
        /// Nil: nobody said.
        var installation: String?
    }

    func run(takingOver wanted: String?) throws -> CatalogRebuildResponse {
        var response = CatalogRebuildResponse(adopted: 0, known: 0, skipped: [])
        var strangers: [Stranger] = []
        let listed = try context.wait { [store] in try await store.archives() }
        var hasOwn = false
        for archive in listed.sorted(by: { order($0) < order($1) }) {
            try context.cancellation.check()
            do {
                guard let object = try look(at: archive) else { continue }
                if object.installation == installation { hasOwn = true }
                if try isKnown(archive, object) {
                    response.known += 1
                } else {
                    strangers.append(Stranger(listed: archive, object: object, installation: object.installation))
                }
            } catch let error as BackupError where canSkip(error) {
                response.skipped.append("\(archive.filename): \(error)")
            }
        }
        let others = Set(strangers.compactMap(\.installation)).subtracting([installation]).sorted()
        let takenOver = wanted ?? (others.count == 1 && !hasOwn ? others.first : nil)
        for stranger in strangers { try adopt(stranger, takingOver: takenOver, &response) }
        if let takenOver, others.contains(takenOver) {
            response.warnings.append(
                "the backups of installation \(takenOver) were taken over: this catalog's retention may now delete them; "
                    + "if that installation still runs, do not let both use \(store.settings.bucket)/\(store.settings.prefix)"
            )
        }
        return response
    }

    private func order(_ archive: ListedArchive) -> (Int64, String) {
        (ArchiveName.order(archive.filename), archive.filename)
    }

    private func canSkip(_ error: BackupError) -> Bool {
        [.damaged, .notFound, .unsupported, .remote].contains(error.code) && !store.isUnreachable
    }

    private func copy(_ backupID: Int64, _ archive: ListedArchive, _ object: RemoteObject) -> RemoteCopy {
        var copy = RemoteCopy(
            backupID: backupID, store: store.name, state: .present,
            owner: object.installation == installation ? .ours : .adopted, endpoint: store.place,
            bucket: store.settings.bucket, key: archive.key, url: store.url(of: archive.key), at: Timestamp.now())
        copy.versionID = object.versionID
        copy.etag = object.etag
        copy.size = object.size
        copy.storageClass = object.storageClass
        copy.lockedUntil = object.lockedUntil
        copy.encryption = store.settings.encryption == .customerKey ? store.settings.encryption.name : object.encryption
        return copy
    }

    private func look(at archive: ListedArchive) throws -> RemoteObject? {
        try context.wait { [store] in
            try await store.look(at: store.objectOfKey(archive.key), store.readOptions())
        }
    }

    /// Whether the catalog has the backup. A copy that it only knew from Elder's columns is taken over.
    private func isKnown(_ archive: ListedArchive, _ object: RemoteObject) throws -> Bool {
        for record in try engine.catalog.records(filename: archive.filename) where record.status == .completed {
            let copies = try engine.catalog.copies(backupID: record.id)
            if let known = copies.first(where: { $0.key == archive.key && $0.store == store.name }) {
                let isAnothers = object.installation.map { $0 != installation } ?? false
                if known.owner == .unclaimed, !isAnothers {
                    try engine.catalog.save(copy(record.id, archive, object))
                } else if known.state == .missing {
                    try engine.catalog.save(copy(record.id, archive, object))
                }
                return true
            }
            guard copies.allSatisfy({ $0.store != store.name }), let sha256 = record.sha256, object.sha256 == sha256,
                object.installation == installation
            else { continue }
            try engine.catalog.save(copy(record.id, archive, object))
            return true
        }
        return false
    }

    private func adopt(
        _ stranger: Stranger, takingOver: String?, _ response: inout CatalogRebuildResponse
    ) throws {
        let name = stranger.listed.filename
        if let owner = stranger.installation, owner != installation, owner != takingOver {
            response.skipped.append(
                "\(name): it belongs to installation \(owner); \"--installation \(owner)\" takes its backups over")
            return
        }
        do {
            try adopt(stranger)
            response.adopted += 1
        } catch let error as BackupError where canSkip(error) {
            response.skipped.append("\(name): \(error)")
        }
    }

    private func adopt(_ stranger: Stranger) throws {
        let name = stranger.listed.filename
        let directory = try FetchDirectory(
            in: engine.configuration.backupDirectory, installation: installation)
        let path = directory.path + "/" + name
        let probe = copy(0, stranger.listed, stranger.object)
        let contents = try withExtendedLifetime(directory) { () -> Contents in
            if stranger.listed.hasManifest { return try manifestContents(probe, path, stranger) }
            guard stranger.installation == nil else {
                throw BackupError(.damaged, "it has no manifest: its upload was not finished")
            }
            try directory.requireRoom(for: stranger.object.size)
            return try plainContents(probe, path)
        }
        let started = contents.header.timestamp ?? ArchiveName.time(in: name) ?? Timestamp.now()
        var record = BackupRecord(
            id: 0, jobID: try engine.adoptJob(of: contents.header), filename: name,
            filePath: engine.configuration.backupDirectory + "/" + name, fileSize: stranger.object.size,
            recordCount: contents.recordCount, status: .completed, startedAt: started, completedAt: started,
            createdAt: started, updatedAt: Timestamp.now(), sha256: contents.sha256, localState: .none)
        record.content = contents.header.content
        record = try engine.catalog.adopt(record)
        try engine.catalog.save(copy(record.id, stranger.listed, stranger.object))
    }

    private struct Contents {
        var header: ArchiveHeader
        var recordCount: Int64
        var sha256: String
    }

    private func manifestContents(_ copy: RemoteCopy, _ path: String, _ stranger: Stranger) throws -> Contents {
        _ = try context.wait { [store] in
            try await store.fetchManifest(copy, to: path + RemoteStore.manifestSuffix)
        }
        guard let manifest = try Manifest.read(besideArchive: path) else {
            throw BackupError(.damaged, "its manifest is gone")
        }
        guard Int64(manifest.archiveSize) == stranger.object.size else {
            throw BackupError(
                .damaged, "it has \(stranger.object.size) bytes, its manifest says \(manifest.archiveSize)")
        }
        return Contents(
            header: manifest.header, recordCount: manifest.recordCount, sha256: manifest.archiveSHA256)
    }

    /// What Elder wrote has no manifest: only reading it tells what it holds.
    private func plainContents(_ copy: RemoteCopy, _ path: String) throws -> Contents {
        try context.wait { [store] in try await store.fetchArchive(copy, to: path) { _, _ in } }
        let archive = try ArchiveReader.open(path: path)
        guard archive.form == .plain else {
            throw BackupError(.damaged, "it has no manifest: its upload was not finished")
        }
        let findings = try archive.read(tables: nil, workers: BackupEngine.workers, consumer: RowCollector { _, _ in })
        return Contents(
            header: findings.header, recordCount: findings.recordCount, sha256: try ArchiveCopy.sha256(of: path))
    }
}
