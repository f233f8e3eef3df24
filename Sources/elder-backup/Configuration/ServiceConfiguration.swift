import BackupCore
import BackupEngine
import BackupService

/// The settings of the service.
enum ServiceConfiguration {
    static func settings(_ values: SettingValues) throws(BackupError) -> ServiceSettings {
        var settings = ServiceSettings()
        let address = try values.read(.listen, default: (host: settings.host, port: settings.port), address)
        settings.host = address.host
        settings.port = address.port
        settings.catchesUp = try values.read(.catchUp, default: settings.catchesUp, StoreText.boolean)
        settings.hasPublicMetrics = try values.read(
            .publicMetrics, default: settings.hasPublicMetrics, StoreText.boolean)
        settings.largestImport = try values.read(.largestImport, default: settings.largestImport) { text in
            Quantity.bytes(text).flatMap { ((1 << 20)...(64 << 40)).contains($0) ? Int64($0) : nil }
        }
        settings.maximumRuns = try values.number(.maximumRuns, default: settings.maximumRuns, in: 1...64)
        settings.longestQueue = try values.number(.longestQueue, default: settings.longestQueue, in: 0...10_000)
        settings.tls = try AccessConfiguration.tls(values)
        settings.elder = try AccessConfiguration.elder(values)
        settings.trustedProxies = try values.read(.trustedProxies, default: []) { text in
            let blocks = list(text).map(AddressBlock.init)
            return blocks.contains { $0 == nil } ? nil : blocks.compactMap(\.self)
        }
        settings.rateLimit = try values.number(.rateLimit, default: settings.rateLimit, in: 0...1_000_000)
        settings.signInLimit = try values.number(.signInLimit, default: settings.signInLimit, in: 0...1_000_000)
        settings.limits.connections = try values.number(
            .maximumConnections, default: settings.limits.connections, in: 1...100_000)
        settings.minimumFree = try values.read(.minimumFree, default: settings.minimumFree) {
            Quantity.bytes($0).map(Int64.init)
        }
        return settings
    }

    /// `HOST:PORT`, an IPv6 address in brackets.
    static func address(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let port = Int(digits), (0...65_535).contains(port) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : (String(host), port)
    }

    /// What stands between commas, without white space.
    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { word in String(word.filter { !$0.isWhitespace }) }.filter { !$0.isEmpty }
    }

    /// What `config show` tells of a setting.
    static func report(_ setting: Setting, _ values: SettingValues) -> String? {
        let text = values.find(setting)?.text
        let standard = ServiceSettings()
        switch setting {
        case .listen: return text ?? "\(standard.host):\(standard.port)"
        case .maximumRuns: return text ?? "\(standard.maximumRuns)"
        case .longestQueue: return text ?? "\(standard.longestQueue)"
        case .catchUp: return text ?? "\(standard.catchesUp)"
        case .publicMetrics: return text ?? "\(standard.hasPublicMetrics)"
        case .largestImport: return text ?? Quantity.text(bytes: Int(standard.largestImport))
        case .elderLookUp: return text ?? "\(standard.elder.looksUp)"
        case .rateLimit: return text ?? "\(standard.rateLimit)"
        case .signInLimit: return text ?? "\(standard.signInLimit)"
        case .maximumConnections: return text ?? "\(standard.limits.connections)"
        case .minimumFree: return text ?? Quantity.text(bytes: Int(standard.minimumFree))
        case .elderKey, .elderSecret: return text == nil ? nil : Secret("").description
        default: return text
        }
    }
}
