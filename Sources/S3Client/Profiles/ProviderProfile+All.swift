extension ProviderProfile {
    /// Every provider that is known, the more particular host first, ``generic`` not among them.
    public static let all: [ProviderProfile] = [
        .aws, .wasabi, .backblaze, .spaces, .linode, .cloudflare, .minio, .ceph,
    ]

    /// The profile of an endpoint's host; ``generic`` where no entry claims it.
    public static func of(host: String) -> ProviderProfile {
        let host = host.lowercased()
        return all.first { profile in profile.hosts.contains { host == $0 || host.hasSuffix("." + $0) } } ?? generic
    }

    /// The profile by its ``name``.
    public static func named(_ name: String) -> ProviderProfile? {
        (all + [generic]).first { $0.name == name.lowercased() }
    }

    /// Amazon S3, https://docs.aws.amazon.com/AmazonS3/latest/API/. Since 2025 an object may have 50 TB.
    public static let aws: ProviderProfile = {
        var profile = ProviderProfile(
            name: "aws", title: "Amazon S3", hosts: ["amazonaws.com", "amazonaws.com.cn", "api.aws"])
        profile.addressing = .host
        profile.checksum = .crc64nvme
        profile.conditionalPut = true
        profile.conditionalComplete = true
        profile.unsignedPayload = true
        profile.largestObject = 50_000_000_000_000
        profile.verifiesPayloadHash = true
        return profile
    }()

    /// MinIO, https://github.com/minio/minio/tree/master/docs. Known by no host name: named by `BACKUP_S3_PROVIDER`, or
    /// by a host that says so.
    public static let minio: ProviderProfile = {
        var profile = ProviderProfile(name: "minio", title: "MinIO", hosts: ["min.io"])
        profile.storageClasses = ["STANDARD", "REDUCED_REDUNDANCY"]
        profile.conditionalPut = true
        profile.verifiesPayloadHash = true
        return profile
    }()

    /// Wasabi, https://docs.wasabi.com/docs/wasabi-api.
    public static let wasabi: ProviderProfile = {
        var profile = ProviderProfile(name: "wasabi", title: "Wasabi", hosts: ["wasabisys.com"])
        profile.region = .host(suffix: "wasabisys.com")
        profile.throttlesByForbidding = true
        profile.storageClasses = ["STANDARD"]
        profile.encryptions = [.s3, .customerKey]
        return profile
    }()

    /// Backblaze B2, https://www.backblaze.com/docs/cloud-storage-s3-compatible-api: refuses headers that it does not
    /// know, keeps every version, and its keys are mostly restricted to one bucket.
    public static let backblaze: ProviderProfile = {
        var profile = ProviderProfile(name: "b2", title: "Backblaze B2", hosts: ["backblazeb2.com"])
        profile.region = .host(suffix: "backblazeb2.com")
        profile.storageClasses = ["STANDARD"]
        profile.encryptions = [.s3, .customerKey]
        profile.largestObject = 10_000_000_000_000
        profile.largestCopy = 4_768 << 20
        profile.alwaysVersioned = true
        return profile
    }()

    /// DigitalOcean Spaces, https://docs.digitalocean.com/reference/api/spaces/.
    public static let spaces: ProviderProfile = {
        var profile = ProviderProfile(
            name: "spaces", title: "DigitalOcean Spaces", hosts: ["digitaloceanspaces.com"])
        profile.addressing = .host
        profile.region = .host(suffix: "digitaloceanspaces.com")
        profile.storageClasses = ["STANDARD"]
        profile.encryptions = [.customerKey]
        profile.objectLock = false
        return profile
    }()

    /// Linode Object Storage, https://techdocs.akamai.com/cloud-computing/docs/object-storage.
    public static let linode: ProviderProfile = {
        var profile = ProviderProfile(name: "linode", title: "Linode Object Storage", hosts: ["linodeobjects.com"])
        profile.addressing = .host
        profile.region = .host(suffix: "linodeobjects.com")
        profile.storageClasses = ["STANDARD"]
        profile.encryptions = [.customerKey]
        profile.objectLock = false
        return profile
    }()

    /// Cloudflare R2, https://developers.cloudflare.com/r2/api/s3/api/: parts of equal size, no lock, no ACL, one write
    /// a second for each key.
    public static let cloudflare: ProviderProfile = {
        var profile = ProviderProfile(
            name: "r2", title: "Cloudflare R2", hosts: ["r2.cloudflarestorage.com"])
        profile.region = .fixed("auto")
        profile.takesLocationConstraint = false
        profile.storageClasses = ["STANDARD", "STANDARD_IA"]
        profile.encryptions = [.customerKey]
        profile.objectLock = false
        profile.checksum = .crc64nvme
        profile.conditionalPut = true
        profile.largestObject = 4_995 << 30
        profile.initialConcurrency = 3
        return profile
    }()

    /// The Ceph object gateway, https://docs.ceph.com/en/latest/radosgw/s3/: accepts checksum headers and ignores them;
    /// some versions ignore `If-None-Match` on Complete, and none takes a location other than its own.
    public static let ceph: ProviderProfile = {
        var profile = ProviderProfile(name: "ceph", title: "Ceph object gateway", hosts: [])
        profile.takesLocationConstraint = false
        profile.conditionalPut = true
        profile.verifiesPayloadHash = true
        return profile
    }()

    /// Any other server: nothing is sent that a plain one may refuse, and nothing is believed that it may not do; what
    /// is uploaded is read back.
    public static let generic: ProviderProfile = {
        var profile = ProviderProfile(name: "generic", title: "S3-compatible server", hosts: [])
        profile.etagIsMD5 = false
        profile.initialConcurrency = 4
        return profile
    }()
}
