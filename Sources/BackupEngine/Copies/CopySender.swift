internal import BackupArchive
internal import BackupCore
internal import BackupFiles
internal import Logging
internal import S3Client

/// Brings backups to stores, and writes down how far each copy is. What fails is written down too, and tried again by
/// the next run.
struct CopySender {
    let engine: BackupEngine
    let context: VerbContext
    let installation: String

    init(_ engine: BackupEngine, _ context: VerbContext) throws {
        self.engine = engine
        self.context = context
        installation = try engine.catalog.installationID()
    }

    /// Sends a completed backup to a store, unless it is there.
    ///
    /// - Returns: the copy as the catalog has it now, with the reason where it is not there.
    /// - Throws: `cancelled`, `catalog`, `configuration`.
    func send(_ record: BackupRecord, to name: String) throws -> RemoteCopy {
        let store = try context.stores.store(name, ofJob: record.jobID)
        let known = try engine.catalog.copies(backupID: record.id).first { $0.store == name }
        if let known, known.state == .present || known.state == .deleting { return known }
        let row = CopyRow(copy(of: record, in: store, known: known), engine.catalog)
        if store.isUnreachable {
            try row.change { $0.fail("not tried: \(name) could not be reached just before") }
            return row.copy
        }
        try abandonIntent(row, store)
        try row.change { copy in
            copy.state = .uploading
            copy.attempts += 1
            copy.error = nil
            copy.session = copy.session ?? .intent(at: Timestamp.now())
        }
        engine.observer(.step(.uploadStarted))
        var isSending = false
        do {
            let source = try source(of: record, for: store)
            isSending = true
            let stored = try transmit(source, record, row, store, replacesOurs: known?.state == .damaged)
            engine.observer(.step(.uploadFinished))
            try row.change { $0.complete(stored, settings: store.settings, at: Timestamp.now()) }
            engine.observer(.step(.uploadRecorded))
        } catch let error as BackupError where error.code != .catalog {
            try row.change { $0.fail(error.description, isDamaged: isSending && error.code == .damaged) }
            engine.logger.debug(
                "a copy could not be made", metadata: ["backup.id": "\(record.id)", "store": "\(name)"])
            if error.code == .cancelled { throw error }
        }
        return row.copy
    }

    private func copy(of record: BackupRecord, in store: RemoteStore, known: RemoteCopy?) -> RemoteCopy {
        let key = store.key(of: record.filename)
        if let known, known.endpoint == store.place, known.bucket == store.settings.bucket, known.key == key {
            return known
        }
        var copy = RemoteCopy(
            backupID: record.id, store: store.name, state: .pending, endpoint: store.place,
            bucket: store.settings.bucket, key: key, url: store.url(of: key), at: Timestamp.now())
        copy.attempts = known?.attempts ?? 0
        if let known, let session = known.session, known.endpoint == store.place {
            // The settings name another place since: what was begun at the old one will not be finished.
            do {
                try context.wait { try await store.abort(session, of: known) }
            } catch {
                engine.logger.debug("an upload could not be aborted", metadata: ["error": "\(error)"])
            }
        }
        return copy
    }

    /// An upload that may have begun without its id being noted is looked for before another begins. Where the key may
    /// not list uploads, it stays for the bucket's own lifecycle rules.
    private func abandonIntent(_ row: CopyRow, _ store: RemoteStore) throws {
        let copy = row.copy
        guard let session = copy.session, session.uploadID == nil else { return }
        do {
            try context.wait { try await store.abort(session, of: copy) }
        } catch let error as BackupError where error.code != .cancelled {
            engine.logger.debug("an upload could not be looked for", metadata: ["error": "\(error)"])
        }
        try row.change { $0.session = nil }
    }

    /// Where a copy is made from.
    private enum Source {
        case file(OutgoingArchive)
        case store(RemoteCopy, RemoteStore)
    }

    /// A store on the same server, which then copies by itself; else the local file; else, where that is gone or
    /// damaged, any store that has a copy.
    private func source(of record: BackupRecord, for store: RemoteStore) throws -> Source {
        let copies = try engine.catalog.copies(backupID: record.id)
        let siblings = copies.filter { $0.state == .present && $0.store != store.name }.compactMap { copy in
            // One that cannot be reached any more is none to copy from.
            (try? context.stores.store(holding: copy, ofJob: record.jobID)).map { (copy: copy, store: $0) }
        }
        if record.sha256 != nil, let near = siblings.first(where: { store.sharesServer(with: $0.store) }) {
            return .store(near.copy, near.store)
        }
        do {
            return .file(try outgoing(record))
        } catch let error as BackupError where error.code == .damaged || error.code == .notFound {
            guard let far = siblings.first else { throw error }
            return .store(far.copy, far.store)
        }
    }

    private func transmit(
        _ source: Source, _ record: BackupRecord, _ row: CopyRow, _ store: RemoteStore, replacesOurs: Bool
    ) throws -> StoredArchive {
        let transfer = ProgressEvent.Transfer(direction: .upload, store: store.name, filename: record.filename)
        let observer = engine.observer
        let progress: RemoteStore.Progress = { observer(.transfer(transfer, bytes: $0, of: $1)) }
        switch source {
        case .store(let copy, let from):
            return try relay(copy, of: from, record, row.copy, store, replacesOurs, progress)
        case .file(var archive):
            archive.replacesOurs = replacesOurs
            let (copy, sent) = (row.copy, archive)
            return try context.wait {
                try await store.upload(
                    sent, to: copy, session: copy.session?.transferSession,
                    began: { session in
                        try await BlockingThread.run(named: "note") { _ in try row.note(session) }
                        if session != nil { observer(.step(.uploadBegan)) }
                    }, progress: progress)
            }
        }
    }

    // MARK: What is sent

    /// The local archive, checked: what is damaged here must not become the copy that counts.
    private func outgoing(_ record: BackupRecord) throws -> OutgoingArchive {
        let path = record.filePath
        guard FileOperations.exists(path) else {
            throw BackupError(.notFound, "the local archive \(path) is not there, and no other store has a copy")
        }
        let sha256 = try ArchiveCopy.sha256(of: path)
        guard record.sha256 == nil || record.sha256 == sha256 else {
            throw BackupError(
                .damaged,
                "the local archive \(path) is damaged: its SHA-256 is \(sha256), the catalog says "
                    + "\(record.sha256 ?? ""); it is not sent")
        }
        if record.sha256 == nil {
            var known = record
            known.sha256 = sha256
            try engine.catalog.update(known)
        }
        return try OutgoingArchive(
            file: file(path, sha256), manifest: manifest(besides: path), installation: installation,
            job: engine.catalog.job(id: record.jobID)?.uuid ?? "")
    }

    private func file(_ path: String, _ sha256: String) throws -> OutgoingArchive.File {
        OutgoingArchive.File(path: path, size: Int64(try InputFile(path: path).size), sha256: sha256)
    }

    private func manifest(besides path: String) throws -> OutgoingArchive.File? {
        guard ArchiveCopy.hasManifest(path) else { return nil }
        let manifest = path + RemoteStore.manifestSuffix
        return try file(manifest, try ArchiveCopy.sha256(of: manifest))
    }

    // MARK: From store to store

    private func relay(
        _ source: RemoteCopy, of from: RemoteStore, _ record: BackupRecord, _ copy: RemoteCopy, _ store: RemoteStore,
        _ replacesOurs: Bool, _ progress: @escaping RemoteStore.Progress
    ) throws -> StoredArchive {
        guard let sha256 = record.sha256 else {
            throw BackupError(.remote, "the catalog knows no SHA-256 of the backup, so that a copy could not be proven")
        }
        let directory = try FetchDirectory(in: engine.configuration.backupDirectory, installation: installation)
        let path = directory.path + "/" + record.filename
        let hasManifest = try context.wait {
            try await from.fetchManifest(source, to: path + RemoteStore.manifestSuffix)
        }
        let archive = OutgoingArchive(
            file: OutgoingArchive.File(path: path, size: record.fileSize, sha256: sha256),
            manifest: hasManifest ? try manifest(besides: path) : nil, installation: installation,
            job: try engine.catalog.job(id: record.jobID)?.uuid ?? "", replacesOurs: replacesOurs)
        return try withExtendedLifetime(directory) {
            try context.wait {
                try await store.replicate(source, of: from, as: copy, archive, progress: progress)
            }
        }
    }
}

extension RemoteCopy {
    fileprivate mutating func fail(_ reason: String, isDamaged: Bool = false) {
        state = isDamaged ? .damaged : .failed
        error = reason
        // An intent without an upload has come to nothing; an upload that was begun is gone on with.
        if session?.uploadID == nil { session = nil }
    }

    fileprivate mutating func complete(_ stored: StoredArchive, settings: StoreSettings, at now: Timestamp) {
        state = .present
        owner = .ours
        error = nil
        session = nil
        versionID = stored.object.versionID
        manifestVersionID = stored.manifestVersionID
        etag = stored.object.etag
        size = stored.object.size
        storageClass = stored.object.storageClass
        encryption = settings.encryption.name
        lockedUntil = stored.object.lockedUntil
        proof = stored.proof
        if stored.proof == .readBack { verifiedAt = now }
    }
}
