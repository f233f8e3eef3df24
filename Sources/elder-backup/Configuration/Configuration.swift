import BackupCore
import BackupEngine
import BackupService
import FoundationEssentials

/// Everything that is configured, read in one place: the command line before the environment, before the file `.env`
/// in the working directory, before the defaults.
struct Configuration: Sendable {
    /// What the command line says of the settings.
    struct Overrides: Sendable {
        var directory: String?
        var catalog: String?
        /// Where the command line names the source, a wrong `DATABASE_URL` does not matter.
        var hasSource = false

        init() {}
    }

    static let defaultDirectory = "/var/lib/elder/backups"
    private static let environmentFile = ".env"

    let engine: EngineConfiguration
    private let values: SettingValues
    let settings: [SettingReport]
    /// What the user should know, each a line.
    let warnings: [String]

    init(_ overrides: Overrides, usesSource: Bool) throws(BackupError) {
        let file = try EnvironmentFile.load(path: Configuration.environmentFile)
        let values = SettingValues(
            overrides: overrides, environment: ProcessInfo.processInfo.environment, file: file?.variables ?? [:],
            filePath: Configuration.environmentFile)
        warnings = values.unknownVariables { Setting(rawValue: $0) != nil || StoreVariable.isKnown($0) }

        var engine = EngineConfiguration(backupDirectory: try values.directory())
        engine.catalogURL = try values.address(.catalog)
        if case .postgresql = engine.catalogURL {
            throw BackupError(.configuration, "BACKUP_CATALOG_URL names a PostgreSQL database: allowed is sqlite:PATH")
        }
        if usesSource, !overrides.hasSource {
            engine.source = try values.address(.source)
            if engine.source == nil { engine.source = try ElderDatabase.address { values.variable($0)?.text } }
        }
        engine.retentionDays = try values.number(.retentionDays, default: engine.retentionDays, in: 1...36_500)
        engine.compression = try values.read(.compression, default: engine.compression) { text in
            CompressionLevel(rawValue: text)
        }
        engine.maximumRow = try values.read(.maximumRow, default: engine.maximumRow) { text in
            Quantity.bytes(text).flatMap { ((1 << 20)...(512 << 20)).contains($0) ? $0 : nil }
        }
        engine.lockTimeout = try values.read(.lockTimeout, default: engine.lockTimeout) { text in
            Quantity.duration(text).flatMap { $0 <= .seconds(86_400) ? $0 : nil }
        }
        engine.statementTimeout = try values.read(.statementTimeout, default: nil) { text in
            Quantity.duration(text).flatMap {
                $0 >= .milliseconds(1) && $0 <= .seconds(20 * 86_400) ? .some(.some($0)) : nil
            }
        }
        engine.sourceCheck = try values.read(.sourceCheck, default: engine.sourceCheck) { text in
            SourceCheck(rawValue: text)
        }
        engine.jobs = try values.number(.jobs, default: engine.jobs, in: 1...16)
        engine.retryDelay = try values.read(.retryDelay, default: engine.retryDelay) { text in
            Quantity.duration(text).flatMap { $0 <= .seconds(600) ? $0 : nil }
        }
        engine.announcements = try AnnouncementConfiguration.settings(values)
        engine.maximumLogGrowth = try values.read(.maximumLogGrowth, default: nil) { text in
            Quantity.bytes(text).flatMap { $0 > 0 ? .some(.some($0)) : nil }
        }
        engine.exportDays = try values.read(.exportDays, default: engine.exportDays) { text in
            guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let days = Int(text) else { return nil }
            return (1...3_650).contains(days) ? days : nil
        }
        self.values = values
        let stores = try StoreConfiguration(values)
        engine.remote = stores.settings
        engine.remoteBasis = stores.basis
        try SecretConfiguration.read(values, into: &engine)
        self.engine = engine
        settings = Configuration.report(engine, values) + stores.report
    }

    /// Read only where they are used: a wrong one is no reason not to take a backup.
    func serviceSettings() throws(BackupError) -> ServiceSettings { try ServiceConfiguration.settings(values) }

    private static func report(_ engine: EngineConfiguration, _ values: SettingValues) -> [SettingReport] {
        Setting.allCases.map { setting in
            let value: String? =
                switch setting {
                case .directory: engine.backupDirectory
                case .catalog: engine.catalogURL?.redacted ?? "sqlite:" + engine.backupDirectory + "/catalog.sqlite"
                case .source: engine.source?.redacted
                case .retentionDays: "\(engine.retentionDays)"
                case .compression: engine.compression.rawValue
                case .maximumRow: Quantity.text(bytes: engine.maximumRow)
                case .lockTimeout: Quantity.text(engine.lockTimeout)
                case .statementTimeout: engine.statementTimeout.map { Quantity.text($0) }
                case .sourceCheck: engine.sourceCheck.rawValue
                case .jobs: "\(engine.jobs)"
                case .maximumLogGrowth: engine.maximumLogGrowth.map(Quantity.text(bytes:))
                case .exportDays: "\(engine.exportDays)"
                case .retryDelay: Quantity.text(engine.retryDelay)
                case .pingURL, .webhook, .webhookSecret, .slack, .notifyEmail, .sendmail, .notifyOn, .anomalyPercent:
                    AnnouncementConfiguration.report(setting, engine.announcements)
                case .listen, .catchUp, .maximumRuns, .longestQueue, .largestImport, .publicMetrics, .elderKey,
                    .elderSecret, .elderPublicKeys, .elderIssuer, .elderAudience, .elderAdmins, .elderLookUp,
                    .tlsCertificate, .tlsKey, .trustedProxies, .rateLimit, .signInLimit, .maximumConnections,
                    .minimumFree:
                    ServiceConfiguration.report(setting, values)
                case .secretKey, .oldSecretKey, .allowedSources, .allowedEndpoints:
                    SecretConfiguration.report(setting, values)
                }
            let origin = values.find(setting)?.origin ?? .standard
            return SettingReport(name: setting.rawValue, value: value, origin: origin.text)
        }
    }
}
