/// A backup's copy in one store: a row of `backup_copies`.
package struct RemoteCopy: Sendable, Codable, Equatable {
    package enum State: String, Sendable, Codable, CaseIterable {
        /// Meant to be, and not begun.
        case pending
        /// Begun, and neither finished nor given up: the process that sends it may be gone.
        case uploading
        /// There, and proven to be what was sent.
        case present
        /// Tried, and not there. The next run tries again.
        case failed
        /// It was there, and was not found again.
        case missing
        /// It is there and is not what was sent.
        case damaged
        /// Its deletion was begun. The next run goes on with it.
        case deleting

        /// Whether an upload is to be tried, or tried again.
        package var needsUpload: Bool {
            switch self {
            case .pending, .uploading, .failed, .missing, .damaged: true
            case .present, .deleting: false
            }
        }
    }

    /// Who may delete the objects of a copy.
    package enum Owner: String, Sendable, Codable, CaseIterable {
        /// This installation sent them.
        case ours
        /// Someone else did, and this catalog took them over.
        case adopted
        /// Someone else did: they are read, and not deleted.
        case unclaimed
    }

    /// How it became certain that the store holds what was sent.
    package enum Proof: String, Sendable, Codable, CaseIterable {
        /// The store computed a checksum of its own, and it is the expected one.
        case serverChecksum = "server_checksum"
        /// The store enforced Content-MD5 on everything it took, and the ETag is the MD5 that follows from it.
        case etag
        /// All of it was read back and hashed.
        case readBack = "read_back"
    }

    /// An upload in parts that was begun: what another run needs to go on with it.
    package struct UploadSession: Sendable, Equatable {
        /// Nil: it was to be begun, and the store's answer is not known.
        package var uploadID: String?
        /// In bytes; all parts but the last have it.
        package var partSize: Int64
        /// Goes into the object's metadata: tells this upload's object from any other of the same key.
        package var token: String
        package var startedAt: Timestamp

        package init(uploadID: String? = nil, partSize: Int64, token: String, startedAt: Timestamp) {
            self.uploadID = uploadID
            self.partSize = partSize
            self.token = token
            self.startedAt = startedAt
        }
    }

    /// The name of the store whose copy `s3_url` and `s3_key` of a backup's row tell of.
    package static let primaryStore = "s3"

    package var backupID: Int64
    /// `s3`, or `replica-1` and so on.
    package var store: String
    package var state: State
    package var owner: Owner
    /// As `https://host:port`; empty where it is not known.
    package var endpoint: String
    package var bucket: String
    /// Of the archive; the manifest's is the same with `.manifest.json` behind it.
    package var key: String
    package var url: String
    /// Where the bucket keeps versions.
    package var versionID: String?
    package var manifestVersionID: String?
    package var etag: String?
    /// Of the archive, in bytes.
    package var size: Int64?
    package var storageClass: String?
    /// `none`, `AES256`, `aws:kms` or `sse-c`: what must be said again to read it.
    package var encryption: String?
    /// Until then the store refuses to delete it.
    package var lockedUntil: Timestamp?
    package var proof: Proof?
    package var session: UploadSession?
    /// Why it is not there, one line.
    package var error: String?
    package var attempts: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// When all of it was last read and found good.
    package var verifiedAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
        case store, state, owner, endpoint, bucket, key, url, etag, size, encryption, proof, error, attempts
        case backupID = "backup_id"
        case versionID = "version_id"
        case manifestVersionID = "manifest_version_id"
        case storageClass = "storage_class"
        case lockedUntil = "locked_until"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case verifiedAt = "verified_at"
    }

    package init(
        backupID: Int64, store: String, state: State, owner: Owner = .ours, endpoint: String, bucket: String,
        key: String, url: String, at now: Timestamp
    ) {
        self.backupID = backupID
        self.store = store
        self.state = state
        self.owner = owner
        self.endpoint = endpoint
        self.bucket = bucket
        self.key = key
        self.url = url
        attempts = 0
        createdAt = now
        updatedAt = now
    }

    /// Where it lies, for people.
    package var place: String { "s3://\(bucket)/\(key)" }
}

extension RemoteCopy {
    /// The copy that a row of `backups` alone tells of, as Elder leaves it: an URL and a key.
    ///
    /// - Returns: nil where the row has no key.
    package static func recorded(by record: BackupRecord) -> RemoteCopy? {
        guard let key = record.s3Key, !key.isEmpty else { return nil }
        let place = record.s3URL.flatMap { locate($0, key: key) }
        return RemoteCopy(
            backupID: record.id, store: primaryStore, state: .present, owner: .unclaimed,
            endpoint: place?.endpoint ?? "", bucket: place?.bucket ?? "", key: key, url: record.s3URL ?? "",
            at: record.createdAt)
    }

    /// Endpoint and bucket of an URL, which is `ENDPOINT/BUCKET/KEY`, or `https://BUCKET.s3.REGION.amazonaws.com/KEY`.
    private static func locate(_ url: String, key: String) -> (endpoint: String, bucket: String)? {
        guard url.hasSuffix("/" + key), let mark = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<mark.upperBound]
        let end = url.utf8.index(url.endIndex, offsetBy: -(key.utf8.count + 1))
        guard end > mark.upperBound else { return nil }
        let place = url[mark.upperBound..<end]
        if let slash = place.lastIndex(of: "/") {
            let bucket = place[place.index(after: slash)...]
            return bucket.isEmpty ? nil : (String(scheme + place[..<slash]), String(bucket))
        }
        guard let dot = place.firstRange(of: ".s3."), place.contains("amazonaws.com") else { return nil }
        return (String(scheme + place[place.index(after: dot.lowerBound)...]), String(place[..<dot.lowerBound]))
    }
}
