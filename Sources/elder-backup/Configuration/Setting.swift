/// A setting: the variable that holds it and the option that overrides it.
enum Setting: String, CaseIterable, Sendable {
    case directory = "BACKUP_DIR"
    case catalog = "BACKUP_CATALOG_URL"
    case source = "DATABASE_URL"
    case retentionDays = "BACKUP_RETENTION_DAYS"
    case compression = "BACKUP_COMPRESSION"
    case maximumRow = "BACKUP_MAX_ROW"
    case lockTimeout = "BACKUP_LOCK_TIMEOUT"
    case statementTimeout = "BACKUP_STATEMENT_TIMEOUT"
    case sourceCheck = "BACKUP_SOURCE_CHECK"
    case jobs = "BACKUP_JOBS"
    case maximumLogGrowth = "BACKUP_MAX_WAL_GROWTH"
    case retryDelay = "BACKUP_RETRY_DELAY"
    case pingURL = "BACKUP_PING_URL"
    case webhook = "BACKUP_NOTIFY_WEBHOOK"
    case webhookSecret = "BACKUP_NOTIFY_WEBHOOK_SECRET"
    case slack = "BACKUP_NOTIFY_SLACK"
    case notifyEmail = "BACKUP_NOTIFY_EMAIL"
    case sendmail = "BACKUP_SENDMAIL"
    case notifyOn = "BACKUP_NOTIFY_ON"
    case anomalyPercent = "BACKUP_ANOMALY_PERCENT"
    case exportDays = "BACKUP_EXPORT_DAYS"
    case listen = "BACKUP_LISTEN"
    case maximumRuns = "BACKUP_MAX_RUNS"
    case longestQueue = "BACKUP_MAX_QUEUE"
    case catchUp = "BACKUP_CATCH_UP"
    case largestImport = "BACKUP_IMPORT_MAX_BYTES"
    case publicMetrics = "BACKUP_METRICS_PUBLIC"
    case elderKey = "JWT_SECRET_KEY"
    case elderSecret = "SECRET_KEY"
    case elderPublicKeys = "JWT_PUBLIC_KEY_FILE"
    case elderIssuer = "JWT_ISSUER"
    case elderAudience = "JWT_AUDIENCE"
    case elderAdmins = "ELDER_ADMIN_SUBJECTS"
    case elderLookUp = "ELDER_ROLE_LOOKUP"
    case tlsCertificate = "BACKUP_TLS_CERTIFICATE_FILE"
    case tlsKey = "BACKUP_TLS_KEY_FILE"
    case trustedProxies = "BACKUP_TRUSTED_PROXIES"
    case rateLimit = "BACKUP_RATE_LIMIT"
    case signInLimit = "BACKUP_SIGN_IN_LIMIT"
    case maximumConnections = "BACKUP_MAX_CONNECTIONS"
    case minimumFree = "BACKUP_MIN_FREE_BYTES"
    case secretKey = "BACKUP_SECRET_KEY"
    case oldSecretKey = "BACKUP_SECRET_KEY_OLD"
    case allowedSources = "BACKUP_ALLOWED_SOURCES"
    case allowedEndpoints = "BACKUP_ALLOWED_S3_ENDPOINTS"

    /// What values are allowed, to end a sentence with.
    var allowed: String {
        switch self {
        case .directory: "a path of a directory"
        case .catalog: "sqlite:PATH"
        case .source: "sqlite:PATH, sqlite:///ABSOLUTE/PATH or postgresql://USER@HOST:PORT/DATABASE"
        case .retentionDays: "a whole number of days from 1 to 36500"
        case .compression: "fast, balanced or small"
        case .maximumRow: "a size from 1MiB to 512MiB, in bytes or with a unit"
        case .lockTimeout: "a time from 0 to 1d, in seconds or with a unit (ms, s, m, h, d)"
        case .statementTimeout: "a time from 1ms to 20d, in seconds or with a unit (ms, s, m, h, d); unset for no limit"
        case .sourceCheck: "quick, full or off"
        case .jobs: "a whole number of connections from 1 to 16"
        case .maximumLogGrowth: "a size of at least 1 byte, in bytes or with a unit; unset for no limit"
        case .retryDelay: "a time from 0 to 10m, in seconds or with a unit (ms, s, m)"
        case .pingURL, .webhook, .slack: "https://HOST/PATH, or http:// (the value is not shown)"
        case .webhookSecret: "a text of at least 8 bytes (the value is not shown)"
        case .notifyEmail: "addresses such as ops@example.org, separated by commas"
        case .sendmail: "the absolute path of a program that takes a message as sendmail does"
        case .notifyOn: "failure, recovery, missed, anomaly, separated by commas"
        case .anomalyPercent: "a whole number from 1 to 99"
        case .maximumRuns: "a whole number from 1 to 64"
        case .longestQueue: "a whole number from 0 to 10000"
        case .listen: "HOST:PORT, such as 127.0.0.1:5000 or [::]:5000"
        case .exportDays: "a whole number of days from 1 to 3650"
        case .catchUp, .publicMetrics: "true or false"
        case .largestImport: "a size from 1MiB to 64TiB, in bytes or with a unit"
        case .elderKey, .elderSecret: "a text of at least 32 bytes"
        case .elderPublicKeys: "paths of PEM files with public keys (RSA or P-256), separated by commas"
        case .elderIssuer, .elderAudience: "a text; unset for any"
        case .elderAdmins: "subjects of Elder's tokens, separated by commas: 7, access:7 or portal_user:7"
        case .elderLookUp: "true or false"
        case .tlsCertificate: "the path of a PEM file with the server's certificate and its chain"
        case .tlsKey: "the path of a PEM file with the certificate's private key"
        case .trustedProxies: "addresses or blocks such as 10.0.0.0/8, separated by commas"
        case .rateLimit, .signInLimit: "a whole number a minute from 0 (no limit) to 1000000"
        case .maximumConnections: "a whole number from 1 to 100000"
        case .minimumFree: "a size in bytes or with a unit; 0 for no minimum"
        case .secretKey, .oldSecretKey:
            "32 bytes in base64 or as 64 hexadecimal digits, as `openssl rand -base64 32` makes"
        case .allowedSources:
            "postgresql://HOST:PORT/DATABASE, or * for DATABASE, or sqlite:/PATH, without users and passwords, separated "
                + "by commas"
        case .allowedEndpoints: "HOST or HOST:PORT, separated by commas"
        }
    }
}

/// Where a setting's value came from.
enum SettingOrigin: Sendable, Equatable {
    case option(String)
    case environment
    case file(String)
    case standard
    /// From another variable, the primary store's.
    case inherited(String)

    var text: String {
        switch self {
        case .option(let name): "option \(name)"
        case .environment: "environment"
        case .file(let path): path
        case .standard: "default"
        case .inherited(let name): name
        }
    }
}

/// A setting as `config show` prints it, without anything secret.
struct SettingReport: Encodable, Sendable {
    var name: String
    /// Nil where nothing is set and there is no default.
    var value: String?
    var origin: String

    private enum CodingKeys: String, CodingKey {
        case name, value, origin
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        // Written as null, so that every setting has all three fields.
        try container.encode(value, forKey: .value)
        try container.encode(origin, forKey: .origin)
    }
}
