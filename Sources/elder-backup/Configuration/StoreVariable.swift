import BackupEngine

/// The variables of a store, by what follows `BACKUP_S3_` or `BACKUP_S3_REPLICA_N_`.
enum StoreVariable: String, CaseIterable, Sendable {
    case endpoint = "ENDPOINT"
    case bucket = "BUCKET"
    case region = "REGION"
    case accessKey = "ACCESS_KEY"
    case secretKey = "SECRET_KEY"
    case sessionToken = "SESSION_TOKEN"
    case prefix = "PREFIX"
    case provider = "PROVIDER"
    case addressing = "ADDRESSING"
    case createBucket = "CREATE_BUCKET"
    case verify = "VERIFY"
    case encryption = "SSE"
    case kmsKeyID = "SSE_KMS_KEY_ID"
    case customerKeyFile = "SSE_C_KEY_FILE"
    case storageClass = "STORAGE_CLASS"
    case objectLock = "OBJECT_LOCK"
    case authorityFile = "CA_FILE"
    case concurrency = "CONCURRENCY"
    case memory = "MEMORY"

    static let enabled = "BACKUP_S3_ENABLED"
    static let primaryPrefix = "BACKUP_S3_"
    static let replicaPrefix = "BACKUP_S3_REPLICA_"

    /// What values are allowed, to end a sentence with.
    var allowed: String {
        switch self {
        case .endpoint: "https://host, https://host:port, or aws"
        case .bucket: "a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens"
        case .region: "a region's name, such as us-east-1: letters, digits and hyphens"
        case .accessKey, .secretKey, .sessionToken: "a key without spaces or control characters"
        case .prefix: "what stands in front of a file name in a key: up to 900 bytes, no control characters"
        case .provider: RemoteSettings.providers.joined(separator: ", ")
        case .addressing: "path or host"
        case .createBucket: "true or false"
        case .verify: "auto or full"
        case .encryption: "none, AES256, aws:kms or sse-c"
        case .kmsKeyID: "the id or ARN of a key"
        case .customerKeyFile: "the path of a file with a key of 32 bytes, plain, in hexadecimal digits or in base64"
        case .storageClass: "a storage class of the provider, such as STANDARD_IA"
        case .objectLock: "governance:DAYS or compliance:DAYS, from 1 to 36500 days"
        case .authorityFile: "the path of a PEM file"
        case .concurrency: "a whole number from 1 to 64"
        case .memory: "a size from 16MiB to 4GiB, in bytes or with a unit"
        }
    }

    var isSecret: Bool {
        switch self {
        case .accessKey, .secretKey, .sessionToken: true
        default: false
        }
    }

    /// Whether a replica takes the primary's where it has none.
    ///
    /// - Parameters:
    ///   - hasEndpoint: the replica lies elsewhere, so how to talk to the primary does not matter to it.
    ///   - hasKeys: keys come together or not at all.
    func isInherited(hasEndpoint: Bool, hasKeys: Bool) -> Bool {
        switch self {
        case .bucket, .objectLock: false
        case .accessKey, .secretKey, .sessionToken: !hasKeys
        case .provider, .addressing: !hasEndpoint
        default: true
        }
    }

    /// Whether a variable is a store's.
    static func isKnown(_ name: String) -> Bool {
        if name == enabled { return true }
        if name.hasPrefix(replicaPrefix), let (_, suffix) = replica(name) {
            return StoreVariable(rawValue: suffix) != nil
        }
        return name.hasPrefix(primaryPrefix)
            && StoreVariable(rawValue: String(name.dropFirst(primaryPrefix.count))) != nil
    }

    /// The number and the suffix of a replica's variable.
    static func replica(_ name: String) -> (number: Int, suffix: String)? {
        guard name.hasPrefix(replicaPrefix) else { return nil }
        let rest = name.dropFirst(replicaPrefix.count)
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number > 0, String(number) == digits else { return nil }
        let suffix = rest.dropFirst(digits.count)
        return suffix.hasPrefix("_") ? (number, String(suffix.dropFirst())) : nil
    }
}
