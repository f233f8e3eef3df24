internal import BackupCore
internal import S3Client

/// An archive on its way to a store.
struct OutgoingArchive: Sendable {
    /// A file as it is to arrive.
    struct File: Sendable {
        var path: String
        /// In bytes.
        var size: Int64
        /// In lower-case hexadecimal digits.
        var sha256: String
    }

    var file: File
    /// Nil for an archive without one: what Elder wrote.
    var manifest: File?
    var installation: String
    var job: String
    /// What is there is ours and known to be damaged.
    var replacesOurs = false
}

/// What a store holds once an archive has arrived, and how that is known.
struct StoredArchive: Sendable {
    var object: RemoteObject
    var manifestVersionID: String?
    var proof: RemoteCopy.Proof
}

extension RemoteStore {
    /// What an object under a wanted key means.
    private enum Occupant {
        case nobody
        /// The very archive, from an earlier try.
        case same(RemoteObject)
        /// Ours, and to be replaced.
        case replaceable
    }

    /// Sends an archive, proves that it has arrived, then sends its manifest: what has no manifest does not count.
    ///
    /// Never replaces what another installation has put under the key.
    ///
    /// - Parameters:
    ///   - session: of an earlier try.
    ///   - began: told of each new session of an upload in parts, and of nil when one has ended.
    func upload(
        _ archive: OutgoingArchive, to copy: RemoteCopy, session: UploadSession?,
        began: @escaping @Sendable (UploadSession?) async throws -> Void, progress: @escaping Progress
    ) async throws -> StoredArchive {
        let target = object(copy)
        return try await arrive(archive, as: copy, token: session?.token) { put in
            let outcome = try await transfers.upload(
                archive.file.path, to: target, options: put, session: session, began: began, progress: progress)
            return Arrival(outcome)
        }
    }

    /// What a transfer has to say of the object it has made.
    struct Arrival {
        var etag: String
        var versionID: String?
        /// Nil: it proves nothing.
        var proof: RemoteCopy.Proof?
    }

    /// Makes an archive's object by `transfer`, proves it, then sends the manifest.
    ///
    /// - Parameter token: of an upload whose object may be there already.
    func arrive(
        _ archive: OutgoingArchive, as copy: RemoteCopy, token: String? = nil,
        _ transfer: (PutOptions) async throws -> Arrival
    ) async throws -> StoredArchive {
        let target = object(copy)
        var stored = try await perform("upload", target) {
            try await makeObject(of: archive, at: target, token, transfer)
        }
        // What the bucket adds by itself: a lock, a class. Without the right to look, what was asked for counts.
        if let object = try? await look(at: target, readOptions(versionID: stored.object.versionID)) {
            stored.object = object
            try await requireEncryption(of: object, target)
        }
        stored.manifestVersionID = try await sendManifest(of: archive, to: manifest(copy))
        return stored
    }

    /// - Throws: `s3` where the store did not encrypt what it was told to encrypt; such an object does not stay.
    private func requireEncryption(of object: RemoteObject, _ target: S3Object) async throws {
        guard let encryption, !encryption.isKept(by: object.encryption) else { return }
        var fate = "the object was deleted"
        do {
            _ = try await client.deleteObject(target, versionID: object.versionID)
        } catch {
            fate = "the object is still there (\(error))"
        }
        let name = "\(settings.variablePrefix)SSE"
        throw BackupError(
            .remote,
            "\(settings.name) took s3://\(target) and did not encrypt it as \(name)=\(settings.encryption.name) asks: "
                + "it says \(object.encryption ?? "nothing of encryption"); \(fate); set \(name) to what this store can"
        )
    }

    private func putOptions(_ archive: OutgoingArchive, _ sha256: String, storageClass: String?) -> PutOptions {
        var put = PutOptions()
        put.contentType = "application/gzip"
        put.metadata = [
            Label.installation: archive.installation, Label.job: archive.job, Label.sha256: sha256,
        ]
        put.storageClass = storageClass
        put.encryption = encryption
        put.lock = lock
        return put
    }

    /// What an object that is made now is locked with.
    var lock: ObjectRetention? {
        settings.objectLock.map { lock in
            ObjectRetention(
                mode: lock.mode == .governance ? .governance : .compliance,
                until: Timestamp.now().adding(days: lock.days).microseconds / 1_000_000)
        }
    }

    private func makeObject(
        of archive: OutgoingArchive, at target: S3Object, _ token: String?,
        _ transfer: (PutOptions) async throws -> Arrival
    ) async throws -> StoredArchive {
        var put = putOptions(archive, archive.file.sha256, storageClass: settings.storageClass)
        switch try await occupant(of: target, archive, token) {
        case .same(let found): return try await proven(found, nil, archive, target)
        case .replaceable: put.onlyIfAbsent = false
        case .nobody: put.onlyIfAbsent = client.configuration.profile.conditionalPut
        }
        do {
            let arrival = try await makingBucket(target.bucket) { try await transfer(put) }
            let object = RemoteObject(arrival, put, size: archive.file.size)
            return try await proven(object, arrival.proof, archive, target)
        } catch let error as S3Error where error.code == "PreconditionFailed" || error.status == 412 {
            // A first try whose answer was lost, or someone who was faster.
            guard case .same(let found) = try await occupant(of: target, archive, nil) else { throw error }
            return try await proven(found, nil, archive, target)
        }
    }

    /// - Throws: `s3` where the key belongs to someone or something else.
    private func occupant(
        of target: S3Object, _ archive: OutgoingArchive, _ token: String?
    ) async throws -> Occupant {
        let head: ObjectHead
        do {
            head = try await client.headObject(target, options: readOptions())
        } catch let error as S3Error where RemoteFault.mayBeMissing(error) {
            // Where the key may read but not list, what is not there is forbidden.
            return .nobody
        }
        let found = RemoteObject(head)
        guard found.installation == archive.installation else { throw taken(target, by: found) }
        if let token, found.uploadToken == token { return .nobody }
        if archive.replacesOurs { return .replaceable }
        guard found.sha256 == archive.file.sha256 else {
            throw BackupError(
                .remote,
                "\(settings.name) holds another backup of this installation as s3://\(target), with SHA-256 "
                    + "\(found.sha256 ?? "unknown"): nothing was replaced; move that object away, or set another "
                    + "\(settings.variablePrefix)PREFIX")
        }
        return .same(found)
    }

    private func taken(_ target: S3Object, by found: RemoteObject) -> BackupError {
        let owner = found.installation.map { "installation \($0)" } ?? "another program"
        return BackupError(
            .remote,
            "s3://\(target) on \(settings.name) belongs to \(owner): nothing was replaced; give this installation "
                + "another \(settings.variablePrefix)PREFIX or bucket")
    }

    /// Makes the bucket where an operation says that it is missing; keys that may do no more than they must are never
    /// asked to look.
    private func makingBucket<Result>(_ bucket: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as S3Error where error.code == "NoSuchBucket" {
            guard settings.createsBucket, client.configuration.profile.createsBuckets else { throw error }
            do {
                try await client.createBucket(bucket, objectLock: settings.objectLock != nil)
            } catch let refusal as S3Error {
                throw BackupError(
                    .remote,
                    "the bucket \(bucket) does not exist on \(settings.name) and cannot be made: \(refusal); make it, or "
                        + "correct \(settings.variablePrefix)BUCKET")
            }
            return try await body()
        }
    }

    /// What was sent is there: the server's own words, or all of it read back.
    private func proven(
        _ object: RemoteObject, _ proof: RemoteCopy.Proof?, _ archive: OutgoingArchive, _ target: S3Object
    ) async throws -> StoredArchive {
        if let proof, !settings.verifiesFully {
            return StoredArchive(object: object, proof: proof)
        }
        let found = try await sha256(of: target, size: object.size, readOptions(versionID: object.versionID))
        guard found == archive.file.sha256 else {
            throw BackupError(
                .damaged,
                "what \(settings.name) holds as s3://\(target) is not what was sent: its SHA-256 is \(found), that of "
                    + "the archive \(archive.file.sha256); the next run sends it again")
        }
        return StoredArchive(object: object, proof: .readBack)
    }

    // MARK: The manifest

    /// - Returns: its version's id.
    private func sendManifest(of archive: OutgoingArchive, to target: S3Object) async throws -> String? {
        guard let file = archive.manifest else { return nil }
        return try await perform("upload", target) {
            var put = putOptions(archive, file.sha256, storageClass: nil)
            put.contentType = "application/json"
            put.onlyIfAbsent = client.configuration.profile.conditionalPut
            if let head = try? await client.headObject(target, options: readOptions()) {
                let found = RemoteObject(head)
                guard found.installation == archive.installation else { throw taken(target, by: found) }
                put.onlyIfAbsent = false
            }
            let outcome = try await transfers.upload(file.path, to: target, options: put)
            if outcome.proof == nil || settings.verifiesFully {
                let options = readOptions(versionID: outcome.versionID)
                guard try await sha256(of: target, size: file.size, options) == file.sha256 else {
                    throw BackupError(
                        .damaged,
                        "what \(settings.name) holds as s3://\(target) is not the manifest that was sent; the next run "
                            + "sends it again")
                }
            }
            return outcome.versionID
        }
    }
}

extension RemoteObject {
    /// What is known of an object that was just sent.
    fileprivate init(_ arrival: RemoteStore.Arrival, _ put: PutOptions, size: Int64) {
        self.size = size
        etag = arrival.etag
        versionID = arrival.versionID
        installation = put.metadata[RemoteStore.Label.installation]
        job = put.metadata[RemoteStore.Label.job]
        sha256 = put.metadata[RemoteStore.Label.sha256]
        storageClass = put.storageClass
        lockedUntil = put.lock.map { Timestamp(microseconds: $0.until * 1_000_000) }
        isArchived = false
    }
}

extension RemoteStore.Arrival {
    init(_ outcome: UploadOutcome) {
        etag = outcome.etag
        versionID = outcome.versionID
        switch outcome.proof {
        case .serverChecksum: proof = .serverChecksum
        case .etag: proof = .etag
        case nil: proof = nil
        }
    }
}
