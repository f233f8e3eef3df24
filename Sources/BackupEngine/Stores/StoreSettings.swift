package import BackupCore

/// The stores that backups are copied to, as configured.
package struct RemoteSettings: Sendable, Equatable {
    /// Whether new backups are copied (`BACKUP_S3_ENABLED`). Copies that were made before stay usable either way.
    package var isEnabled: Bool
    package var primary: StoreSettings
    /// `replica-1` and so on, in order.
    package var replicas: [StoreSettings]
    /// Variables from which credentials and proxies may come (`AWS_…`, `https_proxy`, …).
    package var environment: [String: String]

    package init(
        isEnabled: Bool, primary: StoreSettings, replicas: [StoreSettings] = [], environment: [String: String] = [:]
    ) {
        self.isEnabled = isEnabled
        self.primary = primary
        self.replicas = replicas
        self.environment = environment
    }

    var all: [StoreSettings] { [primary] + replicas }
}

/// One store: where it is, who asks, and how objects are put there. The variables are `BACKUP_S3_…`, and
/// `BACKUP_S3_REPLICA_N_…` of a replica.
package struct StoreSettings: Sendable, Equatable {
    package enum Addressing: String, Sendable, CaseIterable { case path, host }

    package enum Encryption: Sendable, Equatable {
        /// Whatever the bucket does by itself.
        case none
        case provider
        /// The key that the bucket names when nil.
        case kms(keyID: String?)
        /// With ``StoreSettings/customerKey``.
        case customerKey

        /// As `BACKUP_S3_SSE` and the catalog name it.
        package var name: String {
            switch self {
            case .none: "none"
            case .provider: "AES256"
            case .kms: "aws:kms"
            case .customerKey: "sse-c"
            }
        }
    }

    package struct ObjectLock: Sendable, Equatable {
        package enum Mode: String, Sendable, CaseIterable { case governance, compliance }
        package var mode: Mode
        package var days: Int

        package init(mode: Mode, days: Int) {
            self.mode = mode
            self.days = days
        }
    }

    package struct Keys: Sendable, Equatable {
        package var accessKey: String
        package var secretKey: Secret
        package var sessionToken: Secret?

        package init(accessKey: String, secretKey: Secret, sessionToken: Secret? = nil) {
            self.accessKey = accessKey
            self.secretKey = secretKey
            self.sessionToken = sessionToken
        }
    }

    /// `s3`, or `replica-1` and so on: as the catalog names it.
    package var name: String
    /// The job whose own it is; nil for one that is configured for all.
    package var owner: Int64?
    /// Nil: Amazon S3.
    package var endpoint: String?
    package var bucket: String
    package var region = "us-east-1"
    /// In front of each file name, as it is.
    package var prefix = "elder/backups/"
    /// Nil: what the environment or the machine offers.
    package var keys: Keys?
    /// The name of a provider's profile; nil: by the endpoint's host.
    package var provider: String?
    package var addressing: Addressing?
    /// Whether a bucket that is missing may be made.
    package var createsBucket = true
    /// Whether every upload is read back, whatever else would prove it.
    package var verifiesFully = false
    package var encryption = Encryption.none
    /// 32 bytes in base64.
    package var customerKey: Secret?
    /// Of archives; manifests are always STANDARD.
    package var storageClass: String?
    package var objectLock: ObjectLock?
    /// PEM file of the authorities to trust in place of the system's.
    package var authorityFile: String?
    /// Parts in flight; nil: the provider's.
    package var concurrency: Int?
    /// For parts that wait in memory, in bytes; nil: the client's.
    package var memory: Int?

    package init(name: String, bucket: String) {
        self.name = name
        self.bucket = bucket
    }

    /// As `BACKUP_S3_` or `BACKUP_S3_REPLICA_1_`: what the names of its variables begin with; `job 3's S3_` for a job's.
    package var variablePrefix: String {
        if let owner { return "job \(owner)'s S3_" }
        return name == RemoteCopy.primaryStore
            ? "BACKUP_S3_" : "BACKUP_S3_" + name.uppercased().replacing("-", with: "_") + "_"
    }
}
