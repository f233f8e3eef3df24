import BackupCore
import BackupEngine
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
    /// Used by versions that keep copies on S3; known here so that none of them looks like a typing error.
    private static let s3Variables: Set<String> = [
        "BACKUP_S3_ENABLED", "BACKUP_S3_ENDPOINT", "BACKUP_S3_BUCKET", "BACKUP_S3_REGION", "BACKUP_S3_ACCESS_KEY",
        "BACKUP_S3_SECRET_KEY", "BACKUP_S3_PREFIX",
    ]

    let engine: EngineConfiguration
    let settings: [SettingReport]
    /// What the user should know, each a line.
    let warnings: [String]

    init(_ overrides: Overrides, usesSource: Bool) throws(BackupError) {
        let file = try EnvironmentFile.load(path: Configuration.environmentFile)
        let values = Values(
            overrides: overrides, environment: ProcessInfo.processInfo.environment, file: file?.variables ?? [:])
        try values.refuseS3()
        warnings = values.unknownVariables(known: Configuration.s3Variables)

        var engine = EngineConfiguration(backupDirectory: try values.directory())
        engine.catalogURL = try values.address(.catalog)
        if case .postgresql = engine.catalogURL {
            throw BackupError(.configuration, "BACKUP_CATALOG_URL names a PostgreSQL database: allowed is sqlite:PATH")
        }
        if usesSource, !overrides.hasSource {
            engine.source = try values.address(.source)
            if engine.source == nil { engine.source = try ElderDatabase.address { values.plainVariable($0) } }
        }
        engine.retentionDays = try values.read(.retentionDays, default: engine.retentionDays) { text in
            guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let days = Int(text) else { return nil }
            return (1...36_500).contains(days) ? days : nil
        }
        engine.compression = try values.read(.compression, default: engine.compression) { text in
            CompressionLevel(rawValue: text)
        }
        engine.maximumRow = try values.read(.maximumRow, default: engine.maximumRow) { text in
            Quantity.bytes(text).flatMap { ((1 << 20)...(512 << 20)).contains($0) ? $0 : nil }
        }
        engine.lockTimeout = try values.read(.lockTimeout, default: engine.lockTimeout) { text in
            Quantity.duration(text).flatMap { $0 <= .seconds(86_400) ? $0 : nil }
        }
        engine.sourceCheck = try values.read(.sourceCheck, default: engine.sourceCheck) { text in
            SourceCheck(rawValue: text)
        }
        engine.jobs = try values.read(.jobs, default: engine.jobs) { text in
            text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text).flatMap { (1...16).contains($0) ? $0 : nil } : nil
        }
        engine.maximumLogGrowth = try values.read(.maximumLogGrowth, default: nil) { text in
            Quantity.bytes(text).flatMap { $0 > 0 ? .some(.some($0)) : nil }
        }
        self.engine = engine
        settings = Configuration.report(engine, values)
    }

    private static func report(_ engine: EngineConfiguration, _ values: Values) -> [SettingReport] {
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
                case .sourceCheck: engine.sourceCheck.rawValue
                case .jobs: "\(engine.jobs)"
                case .maximumLogGrowth: engine.maximumLogGrowth.map(Quantity.text(bytes:))
                }
            let origin = values.find(setting)?.origin ?? .standard
            return SettingReport(name: setting.rawValue, value: value, origin: origin.text)
        }
    }

    /// The texts of all settings and where each came from.
    private struct Values {
        let overrides: Overrides
        let environment: [String: String]
        let file: [String: String]

        /// A variable that is set to nothing counts as not set, as container tools write it.
        func find(_ setting: Setting) -> (text: String, origin: SettingOrigin)? {
            switch setting {
            case .directory:
                if let text = overrides.directory { return (text, .option("--backup-dir")) }
            case .catalog:
                if let text = overrides.catalog { return (text, .option("--catalog")) }
            default: break
            }
            return variable(setting.rawValue)
        }

        private func variable(_ name: String) -> (text: String, origin: SettingOrigin)? {
            if let text = environment[name], !text.isEmpty { return (text, .environment) }
            if let text = file[name], !text.isEmpty { return (text, .file(Configuration.environmentFile)) }
            return nil
        }

        func read<Value>(
            _ setting: Setting, default standard: Value, _ parse: (String) -> Value?
        ) throws(BackupError) -> Value {
            guard let (text, origin) = find(setting) else { return standard }
            guard let value = parse(text) else { throw wrong(setting, text, origin) }
            return value
        }

        func directory() throws(BackupError) -> String {
            guard let (text, origin) = find(.directory) else { return Configuration.defaultDirectory }
            guard !text.isEmpty else { throw wrong(.directory, text, origin) }
            return Paths.absolute(text)
        }

        func address(_ setting: Setting) throws(BackupError) -> DatabaseURL? {
            guard let (text, origin) = find(setting) else { return nil }
            do {
                return try DatabaseURL(text)
            } catch {
                throw BackupError(.configuration, "\(place(setting, origin)): \(error.message)")
            }
        }

        /// A variable that is no setting of this program's.
        func plainVariable(_ name: String) -> String? { variable(name)?.text }

        private func wrong(_ setting: Setting, _ text: String, _ origin: SettingOrigin) -> BackupError {
            BackupError(
                .configuration,
                "\(place(setting, origin)) is \"\(Printable.line(String(text.prefix(80))))\": allowed is "
                    + setting.allowed)
        }

        private func place(_ setting: Setting, _ origin: SettingOrigin) -> String {
            switch origin {
            case .option(let name): name
            case .file(let path): "\(setting.rawValue) in \(path)"
            case .environment, .standard: setting.rawValue
            }
        }

        /// Whoever switched copies to S3 on would believe to have them.
        func refuseS3() throws(BackupError) {
            guard let (text, origin) = variable("BACKUP_S3_ENABLED") else { return }
            switch text.lowercased() {
            case "false", "0", "no", "off": return
            case "true", "1", "yes", "on":
                throw BackupError(
                    .configuration,
                    "BACKUP_S3_ENABLED is \"\(text)\" (\(origin.text)): this version has no S3 support, archives are "
                        + "kept in BACKUP_DIR only; set it to false or unset it")
            default:
                throw BackupError(
                    .configuration,
                    "BACKUP_S3_ENABLED is \"\(Printable.line(String(text.prefix(80))))\": allowed is true or false")
            }
        }

        func unknownVariables(known: Set<String>) -> [String] {
            let known = known.union(Setting.allCases.map(\.rawValue))
            let sources = [(environment, "the environment"), (file, Configuration.environmentFile)]
            return sources.flatMap { variables, place in
                variables.keys.sorted().filter { $0.hasPrefix("BACKUP_") && !known.contains($0) }.map { name in
                    "the variable \(Printable.line(name)) in \(place) is not known and has no effect; "
                        + "`elder-backup config show` lists those that have"
                }
            }
        }
    }
}
