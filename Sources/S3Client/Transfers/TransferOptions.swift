/// How much is sent or fetched at one time.
public struct TransferOptions: Sendable, Equatable {
    /// In bytes; nil: 16 MiB, or more where the object would need too many parts.
    public var partSize: Int64?
    /// An object up to this goes in one request, in bytes.
    public var singleRequestLimit: Int64 = 16 << 20
    /// Parts under way at first; nil: as the provider's profile says. Throttling makes it less, success more again.
    public var concurrency: Int?
    /// Parts under way at most.
    public var maximumConcurrency = 10
    /// Bytes of parts in memory at one time, over all transfers of one ``S3Transfers``. Only a copy from one store to
    /// another holds parts in memory; files are sent and received in slices of 256 KiB.
    public var memory: Int64 = 64 << 20

    /// As the provider's profile says.
    public init() {}

    /// How much one request of a download asks for: an eighth of the object, from 16 to 64 MiB. Longer stretches cost the
    /// server less; shorter ones let several connections share a small object.
    func stretch(ofObjectOf size: Int64) -> Int64 { partSize ?? min(max(size / 8, 16 << 20), 64 << 20) }

    /// Every part but the last has the same size: some providers demand it.
    ///
    /// - Returns: at least 5 MiB, a whole number of MiB unless the caller chose another.
    /// - Throws: ``S3Error`` of kind `configuration` where no size fits.
    public func partSize(forObjectOf size: Int64, profile: ProviderProfile) throws -> Int64 {
        guard size <= profile.largestObject else {
            throw S3Error(
                .configuration,
                "\(profile.title) takes objects of up to \(profile.largestObject) bytes, this one has \(size)")
        }
        let mebibyte: Int64 = 1 << 20
        // A margin below the provider's limit, which some count differently.
        let parts = Int64(max(profile.maximumParts * 95 / 100, 1))
        let needed = (size / parts / mebibyte + 1) * mebibyte
        guard let partSize else { return max(16 * mebibyte, needed) }
        guard partSize >= 5 * mebibyte, partSize <= 5 << 30 else {
            throw S3Error(.configuration, "a part has 5 MiB to 5 GiB, not \(partSize) bytes")
        }
        return size / partSize < Int64(profile.maximumParts) ? partSize : needed
    }
}

/// An upload in parts that was begun: all that is needed to go on with it in another process.
public struct UploadSession: Sendable, Equatable, Codable {
    /// As the server named it.
    public var uploadID: String
    /// In bytes.
    public var partSize: Int64
    /// What the finished object will carry as ``S3Client/uploadToken``.
    public var token: String

    /// A session as it was kept.
    public init(uploadID: String, partSize: Int64, token: String) {
        self.uploadID = uploadID
        self.partSize = partSize
        self.token = token
    }
}

/// Why an uploaded object is known to hold what was sent.
public enum UploadProof: String, Sendable, Equatable, Codable, CaseIterable {
    /// The server computed the whole object's checksum and it is ours.
    case serverChecksum = "server_checksum"
    /// The server compared a digest of each part (its MD5, or the SHA-256 in its signature), and the object's ETag is
    /// the one that these parts make.
    case etag
}

/// What became of an upload.
public struct UploadOutcome: Sendable, Equatable {
    /// Of the object, as sent, quotes included.
    public var etag: String
    /// Of the object, on a bucket with versions.
    public var versionID: String?
    /// Nil: the server proves nothing; who needs to know reads it back.
    public var proof: UploadProof?
    /// Parts that an earlier try had sent and that were confirmed.
    public var resumedParts: Int
    /// Parts that were sent; 1 for an object in one request.
    public var sentParts: Int
}
