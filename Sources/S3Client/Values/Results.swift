/// What a server says of an object that it has just stored.
public struct PutResult: Sendable, Equatable {
    /// With its quotes; empty where the server sent none.
    public var etag: String
    /// Nil on a bucket without versions.
    public var versionID: String?
    /// `x-amz-checksum-crc64nvme`, in base64, where the server computed one.
    public var crc64nvme: String?
}

/// What HEAD and GET say of an object.
public struct ObjectHead: Sendable, Equatable {
    /// Of the whole object, in bytes.
    public var size: Int64
    /// As sent, quotes included.
    public var etag: String
    /// Nil on a bucket without versions.
    public var versionID: String?
    /// Names in lower case, without `x-amz-meta-`.
    public var metadata: [String: String]
    /// As it was stored with.
    public var contentType: String?
    /// Nil means STANDARD.
    public var storageClass: String?
    /// Seconds since 1970.
    public var lastModified: Int64?
    /// Nil unless it was asked back from an archive class.
    public var restore: RestoreState?
    /// Nil unless it is locked.
    public var retention: ObjectRetention?
    /// `x-amz-server-side-encryption`, or `sse-c`.
    public var encryption: String?
    /// In base64; only of servers that keep one, and where it was asked for.
    public var crc64nvme: String?

    /// Whether it must be asked back from an archive before it can be read.
    public var isArchived: Bool {
        guard let storageClass, ["GLACIER", "DEEP_ARCHIVE"].contains(storageClass) else { return false }
        if case .restored = restore { return false }
        return true
    }
}

/// How far an object's way back from an archive class is (`x-amz-restore`).
public enum RestoreState: Sendable, Equatable {
    case inProgress
    /// Readable until then, in seconds since 1970 where the server says.
    case restored(until: Int64?)
}

/// One object of a listing.
public struct ListedObject: Sendable, Equatable {
    /// Not encoded.
    public var key: String
    /// In bytes.
    public var size: Int64
    /// As sent, quotes included.
    public var etag: String
    /// Seconds since 1970.
    public var lastModified: Int64?
    /// Nil where the server does not say.
    public var storageClass: String?
}

/// One version, or one delete marker, of a listing.
public struct ListedVersion: Sendable, Equatable {
    /// Not encoded.
    public var key: String
    /// `null` for what was stored before versions were turned on.
    public var versionID: String
    /// Whether a read without a version finds it.
    public var isLatest: Bool
    /// Whether it only hides the versions before it.
    public var isDeleteMarker: Bool
    /// In bytes; 0 for a delete marker.
    public var size: Int64
    /// As sent, quotes included.
    public var etag: String
}

/// A version of an object, for deleting.
public struct ObjectVersion: Sendable, Hashable {
    /// Not encoded.
    public var key: String
    /// Nil: whatever a read without a version finds.
    public var versionID: String?

    /// A version, or the newest.
    public init(_ key: String, versionID: String? = nil) {
        self.key = key
        self.versionID = versionID
    }
}

/// What became of one object of a DeleteObjects.
public struct DeleteOutcome: Sendable, Equatable {
    /// What was to be deleted.
    public var object: ObjectVersion
    /// Nil where it was deleted.
    public var error: S3Error?
}

/// What became of a delete.
public struct DeleteResult: Sendable, Equatable {
    /// On a bucket with versions a delete without a version hides the object and frees nothing.
    public var isDeleteMarker: Bool
    /// Of what was deleted, or of the marker that hides it.
    public var versionID: String?
}

/// One part of an upload that the server has.
public struct UploadedPart: Sendable, Equatable {
    /// From 1.
    public var number: Int
    /// As sent, quotes included.
    public var etag: String
    /// In bytes; nil in the answer to UploadPart, which does not say.
    public var size: Int64?
    /// In base64, for servers that compute one.
    public var crc64nvme: String?

    /// A part as the server has it.
    public init(number: Int, etag: String, size: Int64? = nil, crc64nvme: String? = nil) {
        self.number = number
        self.etag = etag
        self.size = size
        self.crc64nvme = crc64nvme
    }
}

/// An upload that was begun and neither completed nor aborted.
public struct PendingUpload: Sendable, Equatable {
    /// What the upload would make.
    public var key: String
    /// As the server named it.
    public var uploadID: String
    /// Seconds since 1970.
    public var initiated: Int64?
}

/// One bucket of the account.
public struct BucketSummary: Sendable, Equatable {
    /// Of the bucket.
    public var name: String
    /// Seconds since 1970.
    public var created: Int64?
}

/// What HEAD says of a bucket.
public struct BucketHead: Sendable, Equatable {
    /// Where the bucket lies; nil where the server does not say.
    public var region: String?
}
