/// How a request names its bucket.
public enum S3Addressing: String, Sendable, Equatable, CaseIterable {
    /// `https://host/bucket/key`
    case path
    /// `https://bucket.host/key`
    case host
}

/// A checksum that a provider computes itself over what it stores, and compares with the one that is sent.
public enum ServerChecksum: String, Sendable, Equatable, CaseIterable {
    /// `x-amz-checksum-crc64nvme`, of the whole object also where it was sent in parts.
    case crc64nvme = "CRC64NVME"
    /// `x-amz-checksum-crc32c`; of an object in parts a checksum of the parts' checksums.
    case crc32c = "CRC32C"
}

/// What one provider does differently, as data: a new provider is one more entry of ``ProviderProfile/all``.
///
/// Sources: the providers' own documents on their S3 interface; each entry says which.
public struct ProviderProfile: Sendable, Equatable {
    /// Where the region of the signature comes from.
    public enum RegionSource: Sendable, Equatable {
        /// What was configured.
        case configured
        /// The label of the endpoint's host in front of this suffix, as `eu-central-1` in
        /// `s3.eu-central-1.wasabisys.com`; what was configured where the host has none.
        case host(suffix: String)
        /// Always this.
        case fixed(String)
    }

    /// A way to have objects encrypted where they lie.
    public enum Encryption: String, Sendable, Equatable, CaseIterable {
        /// `x-amz-server-side-encryption: AES256`
        case s3 = "AES256"
        /// `x-amz-server-side-encryption: aws:kms`
        case kms = "aws:kms"
        /// `x-amz-server-side-encryption-customer-…`
        case customerKey = "sse-c"
    }

    /// As in `BACKUP_S3_PROVIDER`: lower case, no spaces.
    public var name: String
    /// As the provider calls itself.
    public var title: String
    /// An endpoint whose host is one of these, or ends in a dot and one of these, is this provider's.
    public var hosts: [String]
    /// How buckets are named where nothing else was chosen.
    public var addressing = S3Addressing.path
    /// Where the signature's region comes from.
    public var region = RegionSource.configured
    /// A bucket may be made with a plain CreateBucket.
    public var createsBuckets = true
    /// `LocationConstraint` goes into CreateBucket for a region other than us-east-1.
    public var takesLocationConstraint = true
    /// Nil: any class is passed on.
    public var storageClasses: Set<String>?
    /// What it can encrypt with.
    public var encryptions: Set<Encryption> = Set(Encryption.allCases)
    /// Whether it has object lock.
    public var objectLock = true
    /// What it computes over stored data; nil: the header is not sent, since it is refused or ignored.
    public var checksum: ServerChecksum?
    /// The ETag of a plain object or of a part is its MD5, and that of an object in parts the MD5 of the parts' MD5s,
    /// `-`, their count: so a digest that the server enforced on each part, and the expected ETag, prove what is stored.
    public var etagIsMD5 = true
    /// It compares `x-amz-content-sha256` with what arrives, so that a part's signature guards the part. SHA-256 costs
    /// less than half of what MD5 does, on processors that have instructions for it.
    public var verifiesPayloadHash = false
    /// PutObject honours `If-None-Match: *`.
    public var conditionalPut = false
    /// CompleteMultipartUpload honours `If-None-Match: *`.
    public var conditionalComplete = false
    /// Over https a part may go out as `UNSIGNED-PAYLOAD`, guarded by Content-MD5 or a checksum.
    public var unsignedPayload = false
    /// In bytes.
    public var largestObject: Int64 = 5 << 40
    /// Of one CopyObject or UploadPartCopy, in bytes.
    public var largestCopy: Int64 = 5 << 30
    /// Of one upload.
    public var maximumParts = 10_000
    /// How many parts to begin with; more or fewer follow from what the server bears.
    public var initialConcurrency = 8
    /// Too many requests are answered with 403, `RequestRateLimitExceeded`; to HEAD, which has no body, with 403 alone.
    public var throttlesByForbidding = false
    /// A delete on a bucket with versions leaves the data; true where versions are always on.
    public var alwaysVersioned = false

    /// A profile of a plain server; what differs is set afterwards.
    public init(name: String, title: String, hosts: [String]) {
        self.name = name
        self.title = title
        self.hosts = hosts
    }

    /// The region for the signature, given what was configured and the endpoint's host.
    public func signingRegion(configured: String, host: String) -> String {
        switch region {
        case .configured: return configured
        case .fixed(let region): return region
        case .host(let suffix):
            guard host.hasSuffix("." + suffix) else { return configured }
            let label = host.dropLast(suffix.count + 1).split(separator: ".").last.map(String.init)
            guard let label, label != "s3" else { return configured }
            return label
        }
    }
}
