internal import BackupArchive
internal import BackupCore
internal import BackupFiles
internal import Foundation

/// Which copies of a backup may be read.
package enum CopyChoice: String, Sendable, CaseIterable {
    /// The local one where it is good, else one of a store.
    case any
    case local
    /// The primary store's, then the replicas'.
    case s3
}

/// How a copy is to be found.
struct CopyWish {
    var choice = CopyChoice.any
    /// Only some tables will be read: no more of an archive is fetched from a store than they need.
    var isPartial = false
    /// Wait for a copy that lies in an archive class until it can be read.
    var waits = false
    /// It is sent on as it is, so that no reader will find what is wrong with it: a local file is checked also where there
    /// is no other copy, though not again as long as it stays the same.
    var isForSending = false
    /// Asked before anything is fetched; what it gives goes with what was fetched.
    var admission: (@Sendable () throws -> any Sendable)?
}

/// Finds a copy of a backup that is good: the local one where its digest is right, else one that is fetched from a
/// store.
struct CopyFinder {
    let engine: BackupEngine
    let context: VerbContext
    let wish: CopyWish

    /// - Throws: `notFound`, `damaged`, `s3`.
    func find(_ reference: BackupReference) throws -> BackupCopy {
        let text = reference.text
        if let record = try engine.findRecord(reference) { return try find(record) }
        guard wish.choice != .s3 else {
            throw BackupError(.notFound, "the catalog has no backup \"\(text)\"; \"list\" shows those there are")
        }
        for path in [text, engine.configuration.backupDirectory + "/" + text]
        where !text.isEmpty && FileOperations.exists(path) {
            return BackupCopy(path: path, record: try engine.record(ofFile: path))
        }
        throw BackupError(.notFound, "no backup \"\(text)\": give an id or a name that \"list\" shows, or a path")
    }

    func find(_ record: BackupRecord) throws -> BackupCopy {
        guard record.status == .completed else {
            throw BackupError(
                .notFound,
                "backup \(record.id) is \(record.status.rawValue)"
                    + (record.errorMessage.map { ": \($0)" } ?? "") + "; choose a completed one")
        }
        let copies = try wish.choice == .local ? [] : readableCopies(of: record)
        if wish.choice == .s3 {
            guard !copies.isEmpty else {
                throw BackupError(.notFound, "backup \(record.id) has no copy in a store; leave out --from s3")
            }
            return try fetch(record, copies, reason: nil)
        }
        guard FileOperations.exists(record.filePath) else {
            guard !copies.isEmpty else {
                throw BackupError(
                    .notFound, "backup \(record.id) has no file at \(record.filePath); put it back, or choose another")
            }
            try note(record, .missing)
            return try fetch(record, copies, reason: "the local file \(record.filePath) is not there")
        }
        // Without another copy there is no choice, and the reading itself finds what is wrong.
        guard !copies.isEmpty || wish.isForSending, let reason = try damage(of: record) else {
            return BackupCopy(path: record.filePath, record: record)
        }
        try note(record, .damaged)
        guard !copies.isEmpty else {
            throw BackupError(.damaged, "\(reason); no store has a copy of it, so choose another backup")
        }
        return try fetch(record, copies, reason: reason)
    }

    /// One of these copies, the first that is good.
    func find(_ record: BackupRecord, in copies: [RemoteCopy]) throws -> BackupCopy {
        try fetch(record, copies, reason: nil)
    }

    /// What is wrong with the local file; nil where it is what was written.
    private func damage(of record: BackupRecord) throws -> String? {
        guard let expected = record.sha256 else { return nil }
        do {
            let found = try sha256(of: record.filePath)
            if found == expected { return nil }
            return "the local file \(record.filePath) is damaged: its SHA-256 is \(found), the catalog says \(expected)"
        } catch let error as BackupError where error.code != .cancelled {
            return "the local file cannot be read: \(error)"
        }
    }

    private func sha256(of path: String) throws -> String {
        guard wish.isForSending else { return try ArchiveCopy.sha256(of: path) }
        return try engine.knownDigests.sha256(of: try InputFile(path: path)) { try context.cancellation.check() }
    }

    private func note(_ record: BackupRecord, _ state: BackupRecord.CopyState) throws {
        // Where there never was a local file none is missing.
        guard record.localState != state, record.localState != .none,
            var current = try engine.catalog.record(id: record.id)
        else { return }
        current.localState = state
        current.updatedAt = Timestamp.now()
        try engine.catalog.update(current)
    }

    /// Those that are there, then those that might be in spite of what the catalog says.
    private func readableCopies(of record: BackupRecord) throws -> [RemoteCopy] {
        let copies = try engine.catalog.copies(backupID: record.id)
        return copies.filter { $0.state == .present }
            + copies.filter { [.missing, .damaged, .deleting].contains($0.state) }
    }

    // MARK: From a store

    private func fetch(_ record: BackupRecord, _ copies: [RemoteCopy], reason: String?) throws -> BackupCopy {
        let place = try wish.admission?()
        var failures: [String] = []
        var code = BackupError.Code.remote
        for copy in copies {
            do {
                var found = try fetch(record, copy)
                found.reason = ([reason].compactMap { $0 } + failures).joined(separator: "; ")
                if reason == nil, failures.isEmpty { found.reason = nil }
                found.place = place
                return found
            } catch let error as BackupError where error.code != .cancelled && error.code != .catalog {
                failures.append("\(copy.store): \(error)")
                code = error.code
                if let store = try? context.stores.store(holding: copy, ofJob: record.jobID) {
                    try note(copy, error, at: store)
                }
            }
        }
        let why = reason.map { "\($0), and " } ?? ""
        throw BackupError(
            code, "\(why)no copy of backup \(record.id) could be fetched: " + failures.joined(separator: "; "))
    }

    /// Only what is certain is written down: a store that cannot be reached may still have the copy, and so may the one
    /// that was configured when it was made.
    private func note(_ copy: RemoteCopy, _ error: BackupError, at store: RemoteStore) throws {
        guard copy.endpoint == store.place || copy.endpoint.isEmpty else { return }
        guard copy.state == .present, error.code == .notFound || error.code == .damaged else { return }
        var copy = copy
        copy.state = error.code == .notFound ? .missing : .damaged
        copy.error = error.description
        copy.updatedAt = Timestamp.now()
        try engine.catalog.save(copy)
    }

    private func fetch(_ record: BackupRecord, _ copy: RemoteCopy) throws -> BackupCopy {
        let store = try context.stores.store(holding: copy, ofJob: record.jobID)
        try ArchiveRetrieval(context: context, observer: engine.observer).ensureReadable(copy, in: store, wish.waits)
        let directory = try FetchDirectory(
            in: engine.configuration.backupDirectory, installation: try engine.catalog.installationID())
        let path = directory.path + "/" + record.filename
        let hasManifest = try context.wait {
            try await store.fetchManifest(copy, to: path + RemoteStore.manifestSuffix)
        }
        var found = BackupCopy(path: path, record: record, source: copy.store)
        found.directory = directory
        if wish.isPartial, hasManifest {
            found.sparse = try sparse(record, copy, store, path, directory)
        } else {
            try directory.requireRoom(for: record.fileSize)
            try fetchWhole(record, copy, store, path)
        }
        return found
    }

    private func fetchWhole(_ record: BackupRecord, _ copy: RemoteCopy, _ store: RemoteStore, _ path: String) throws {
        let progress = progress(store, record)
        try context.wait { try await store.fetchArchive(copy, to: path, progress: progress) }
        guard let expected = record.sha256 else { return }
        let found = try ArchiveCopy.sha256(of: path)
        guard found == expected else {
            throw BackupError(
                .damaged, "\(copy.place) is damaged: its SHA-256 is \(found), the catalog says \(expected)")
        }
    }

    private func sparse(
        _ record: BackupRecord, _ copy: RemoteCopy, _ store: RemoteStore, _ path: String, _ directory: FetchDirectory
    ) throws -> SparseArchive {
        guard let manifest = try Manifest.read(besideArchive: path) else {
            throw BackupError(.notFound, "\(copy.place) has no manifest")
        }
        if let expected = record.sha256, manifest.archiveSHA256 != expected {
            throw BackupError(
                .damaged,
                "the manifest of \(copy.place) is of another archive: it says SHA-256 \(manifest.archiveSHA256), the "
                    + "catalog \(expected)")
        }
        let context = context
        let progress = progress(store, record)
        return try SparseArchive(path: path, manifest: manifest) { ranges, descriptor in
            try directory.requireRoom(for: ranges.reduce(0) { $0 + Int64($1.count) })
            try context.wait { try await store.fetch(ranges, of: copy, into: descriptor, progress: progress) }
        }
    }

    private func progress(_ store: RemoteStore, _ record: BackupRecord) -> RemoteStore.Progress {
        let transfer = ProgressEvent.Transfer(direction: .download, store: store.name, filename: record.filename)
        let observer = engine.observer
        return { observer(.transfer(transfer, bytes: $0, of: $1)) }
    }
}
