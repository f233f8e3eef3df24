import S3Client
import Testing

/// A store that the suite runs on: a server as it is, or Ceph behind a proxy that refuses what one provider refuses.
enum TestStore: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case rgw, rgwTLS, rclone, moto
    case aws, minio, wasabi, b2, spaces, linode, r2, ceph

    /// What a test needs of a store.
    struct Capabilities: OptionSet, Sendable {
        let rawValue: Int
        /// Compares signatures and dates.
        static let signatures = Self(rawValue: 1 << 0)
        /// Compares Content-MD5, the payload's SHA-256 or the checksum with what arrives.
        static let digests = Self(rawValue: 1 << 1)
        static let conditionalPut = Self(rawValue: 1 << 2)
        static let conditionalComplete = Self(rawValue: 1 << 3)
        static let versions = Self(rawValue: 1 << 4)
        static let lock = Self(rawValue: 1 << 5)
        static let lifecycle = Self(rawValue: 1 << 6)
        static let bucketEncryption = Self(rawValue: 1 << 7)
        static let customerKeys = Self(rawValue: 1 << 8)
        static let keyManagement = Self(rawValue: 1 << 9)
        /// Has STANDARD_IA and GLACIER.
        static let storageClasses = Self(rawValue: 1 << 10)
        static let archive = Self(rawValue: 1 << 11)
        static let policies = Self(rawValue: 1 << 12)
        static let partCopies = Self(rawValue: 1 << 13)
        /// Keys with `//`, `..` and the like, and of 1,024 bytes.
        static let anyKey = Self(rawValue: 1 << 14)
        /// Refuses parts below 5 MiB.
        static let partSizes = Self(rawValue: 1 << 15)
        static let presigned = Self(rawValue: 1 << 16)
        static let metadata = Self(rawValue: 1 << 17)
        static let pendingUploads = Self(rawValue: 1 << 18)
        static let readConditions = Self(rawValue: 1 << 19)
        /// Many requests in little time.
        static let fast = Self(rawValue: 1 << 20)
        static let locations = Self(rawValue: 1 << 21)
        /// The server as it is, without a proxy in front.
        static let plain = Self(rawValue: 1 << 22)
    }

    private static let gateway: Capabilities = [
        .signatures, .digests, .conditionalPut, .versions, .lock, .lifecycle, .customerKeys,
        .keyManagement, .storageClasses, .policies, .partCopies, .anyKey, .partSizes, .presigned, .metadata,
        .pendingUploads, .readConditions,
    ]

    var capabilities: Capabilities {
        switch self {
        case .rgw, .rgwTLS: Self.gateway.union([.fast, .plain])
        case .rclone: [.signatures, .fast, .plain]
        case .moto:
            [
                .conditionalPut, .conditionalComplete, .versions, .lifecycle, .bucketEncryption, .storageClasses,
                .archive,
                .policies, .partCopies, .presigned, .metadata, .pendingUploads, .readConditions,
                .locations, .plain,
            ]
        case .aws: Self.gateway.union([.locations])
        case .minio: Self.gateway.subtracting([.keyManagement, .storageClasses])
        case .wasabi: Self.gateway.subtracting([.keyManagement, .storageClasses, .conditionalPut])
        case .b2: Self.gateway.subtracting([.keyManagement, .storageClasses, .conditionalPut, .policies])
        case .spaces, .linode:
            Self.gateway.subtracting([.keyManagement, .storageClasses, .conditionalPut, .lock])
        case .r2:
            Self.gateway.subtracting([
                .keyManagement, .storageClasses, .lock, .versions, .policies, .lifecycle,
            ])
        case .ceph: Self.gateway
        }
    }

    static func having(_ needed: Capabilities) -> [TestStore] {
        allCases.filter { $0.capabilities.isSuperset(of: needed) }
    }

    /// The providers that the proxy plays.
    static let simulated: [TestStore] = allCases.filter { $0.domain != nil }
    static let real: [TestStore] = allCases.filter { $0.domain == nil }

    /// The host name of a provider's endpoint.
    var domain: String? {
        switch self {
        case .rgw, .rgwTLS, .rclone, .moto: nil
        case .aws: "s3.eu-central-1.amazonaws.com"
        case .minio: "minio.test"
        case .wasabi: "s3.eu-central-1.wasabisys.com"
        case .b2: "s3.us-west-004.backblazeb2.com"
        case .spaces: "nyc3.digitaloceanspaces.com"
        case .linode: "us-ord-1.linodeobjects.com"
        case .r2: "0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com"
        case .ceph: "ceph.test"
        }
    }

    var testDescription: String { rawValue }
}

extension TestStore {
    /// How the client is set up for this store.
    func configuration(user: TestUser = .test) async throws -> S3Configuration {
        guard let domain else {
            return try configuration(endpoint: try address, user: user)
        }
        let proxy = try await FaultyProxy.provider(self)
        var configuration = try configuration(endpoint: "http://\(domain):\(proxy.port)", user: user)
        configuration.addresses = [domain: "127.0.0.1"]
        return configuration
    }

    /// The same with another endpoint in front, such as a faulty proxy.
    func configuration(endpoint: String, user: TestUser = .test) throws -> S3Configuration {
        var configuration = S3Configuration(
            endpoint: try S3Endpoint(parsing: endpoint), region: self == .aws ? "eu-central-1" : "us-east-1",
            credentials: StaticCredentials(try user.credentials))
        if let profile { configuration.profile = profile }
        if self == .rgwTLS { configuration.certificateAuthorityFile = try TestEnvironment.value("RGW_CA") }
        configuration.retry.basePause = .milliseconds(5)
        configuration.retry.throttledPause = .milliseconds(200)
        configuration.retry.longestPause = .seconds(1)
        configuration.retry.deadline = .seconds(60)
        configuration.inactivityTimeout = 30
        configuration.longAnswerTimeout = 30
        return configuration
    }

    /// Of the server itself; Ceph's for the providers.
    var address: String {
        get throws {
            switch self {
            case .rgwTLS: try TestEnvironment.value("RGW_TLS")
            case .rclone: try TestEnvironment.value("RCLONE")
            case .moto: try TestEnvironment.value("MOTO")
            default: try TestEnvironment.value("RGW")
            }
        }
    }

    /// Nil where the host name tells it.
    private var profile: ProviderProfile? {
        switch self {
        case .rgw, .rgwTLS, .ceph: return .ceph
        case .minio: return .minio
        case .rclone: return .generic
        case .moto:
            var profile = ProviderProfile.generic
            profile.conditionalPut = true
            profile.conditionalComplete = true
            profile.etagIsMD5 = true
            return profile
        default: return nil
        }
    }
}

/// Whose keys a client shows.
enum TestUser: String, Sendable {
    case test = ""
    /// May make no bucket.
    case plain = "PLAIN_"
    /// Its buckets hold 2 MiB.
    case small = "SMALL_"

    var credentials: Credentials {
        get throws {
            Credentials(
                accessKeyID: try TestEnvironment.value(rawValue + "ACCESS_KEY"),
                secretAccessKey: try TestEnvironment.value(rawValue + "SECRET_KEY"), source: "test")
        }
    }
}
