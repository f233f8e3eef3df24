import BackupCore
import BackupEngine

/// Whom runs are told to.
enum AnnouncementConfiguration {
    static func settings(_ values: SettingValues) throws(BackupError) -> AnnouncementSettings {
        var settings = AnnouncementSettings()
        settings.pingURL = try address(.pingURL, values)
        settings.webhook = try address(.webhook, values)
        settings.webhookSecret = try values.secret(.webhookSecret) { $0.utf8.count >= 8 }
        settings.slack = try address(.slack, values)
        settings.recipients = try values.read(.notifyEmail, default: []) { text in
            let addresses = words(text)
            return !addresses.isEmpty && addresses.allSatisfy(AnnouncementSettings.isAddress) ? addresses : nil
        }
        settings.sendmail = try values.read(.sendmail, default: settings.sendmail) { $0.hasPrefix("/") ? $0 : nil }
        settings.events = try values.read(.notifyOn, default: settings.events) { text in
            let names = words(text)
            let events = names.compactMap { AnnouncementSettings.Event(rawValue: $0) }
            return events.count == names.count && !events.isEmpty ? Set(events) : nil
        }
        settings.anomalyPercent = try values.number(.anomalyPercent, default: settings.anomalyPercent, in: 1...99)
        return settings
    }

    /// What `config show` tells of a setting.
    static func report(_ setting: Setting, _ settings: AnnouncementSettings) -> String? {
        switch setting {
        case .pingURL: settings.pingURL?.description
        case .webhook: settings.webhook?.description
        case .webhookSecret: settings.webhookSecret?.description
        case .slack: settings.slack?.description
        case .notifyEmail: settings.recipients.isEmpty ? nil : settings.recipients.joined(separator: ",")
        case .sendmail: settings.sendmail
        case .notifyOn: settings.events.map(\.rawValue).sorted().joined(separator: ",")
        case .anomalyPercent: "\(settings.anomalyPercent)"
        default: nil
        }
    }

    /// An address may hold what opens it, so that an error does not repeat it.
    private static func address(_ setting: Setting, _ values: SettingValues) throws(BackupError) -> Secret? {
        try values.secret(setting, isValid: WebAddress.isValid)
    }

    private static func words(_ text: String) -> [String] {
        text.split(separator: ",").map { word in
            let rest = word.drop { $0.isWhitespace }
            return String(rest.reversed().drop { $0.isWhitespace }.reversed())
        }.filter { !$0.isEmpty }
    }
}
