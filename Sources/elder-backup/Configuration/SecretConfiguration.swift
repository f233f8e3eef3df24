import BackupCore
import BackupEngine

/// The keys of the catalog's secrets, and what clients of the API may give a job.
enum SecretConfiguration {
    static func read(_ values: SettingValues, into engine: inout EngineConfiguration) throws(BackupError) {
        engine.secretKey = try key(.secretKey, values)
        engine.oldSecretKey = try key(.oldSecretKey, values)
        engine.allowed.sources = try list(.allowedSources, values) { SourcePattern($0) }
        engine.allowed.endpoints = try list(.allowedEndpoints, values) { EndpointPattern($0) }
    }

    /// What was found is never told.
    private static func key(_ setting: Setting, _ values: SettingValues) throws(BackupError) -> SecretKey? {
        guard let (text, origin) = values.find(setting) else { return nil }
        guard let key = SecretKey(text) else {
            throw values.wrong(setting.rawValue, JobStore.mask, origin, allowed: setting.allowed)
        }
        return key
    }

    private static func list<Pattern>(
        _ setting: Setting, _ values: SettingValues, _ parse: (String) -> Pattern?
    ) throws(BackupError) -> [Pattern] {
        guard let (text, origin) = values.find(setting) else { return [] }
        var patterns: [Pattern] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: true) {
            let word = String(part.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
            guard !word.isEmpty else { continue }
            guard let pattern = parse(word) else {
                // An address that cannot be taken may hold a password by mistake.
                let shown = word.contains("@") || word.contains("?") ? JobStore.mask : word
                throw values.wrong(setting.rawValue, shown, origin, allowed: setting.allowed)
            }
            patterns.append(pattern)
        }
        return patterns
    }

    /// What `config show` tells of a setting.
    static func report(_ setting: Setting, _ values: SettingValues) -> String? {
        let text = values.find(setting)?.text
        switch setting {
        case .secretKey, .oldSecretKey: return text == nil ? nil : JobStore.mask
        default: return text
        }
    }
}
