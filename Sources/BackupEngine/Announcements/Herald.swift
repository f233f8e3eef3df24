internal import BackupCore
internal import Crypto
internal import Foundation

/// Carries announcements to whoever is configured. A failure to do so is a warning, and nothing else depends on it.
struct Herald: Sendable {
    let settings: AnnouncementSettings

    /// Tells of a run's end, to a watchman too. What could not be told, a line each.
    func tellEnd(_ announcements: [Announcement], to ping: DeadManPing?, failure: String?) async -> [String] {
        async let pinged = ping?.end(failure: failure)
        let faults = await send(announcements)
        return [await pinged].compactMap { $0 } + faults
    }

    /// What could not be told, a line each.
    func send(_ announcements: [Announcement]) async -> [String] {
        let wanted = announcements.filter { settings.events.contains($0.event) }
        return await withTaskGroup(of: String?.self) { group in
            for announcement in wanted {
                if settings.webhook != nil { group.addTask { await webhook(announcement) } }
                if settings.slack != nil { group.addTask { await slack(announcement) } }
                if !settings.recipients.isEmpty { group.addTask { await mail(announcement) } }
            }
            return await group.reduce(into: []) { faults, fault in if let fault { faults.append(fault) } }
        }
    }

    private func webhook(_ announcement: Announcement) async -> String? {
        guard let url = settings.webhook, let body = Herald.json(announcement) else { return nil }
        var headers = [
            ("Content-Type", "application/json"), ("X-Elder-Backup-Event", announcement.event.rawValue),
            ("X-Elder-Backup-Delivery", UUID().uuidString.lowercased()),
        ]
        if let secret = settings.webhookSecret {
            headers.append(("X-Hub-Signature-256", Herald.signature(of: body, by: secret)))
        }
        let fault = await WebCall(url: url, headers: headers, body: body, pause: settings.callPause).send()
        return fault.map { "the webhook was not told of the \(announcement.event.rawValue): \($0)" }
    }

    private func slack(_ announcement: Announcement) async -> String? {
        let text = ([announcement.subject] + announcement.lines).joined(separator: "\n")
            .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        guard let url = settings.slack, let body = Herald.json(["text": text]) else { return nil }
        let headers = [("Content-Type", "application/json")]
        let fault = await WebCall(url: url, headers: headers, body: body, pause: settings.callPause).send()
        return fault.map { "Slack was not told of the \(announcement.event.rawValue): \($0)" }
    }

    private func mail(_ announcement: Announcement) async -> String? {
        let mail = Mail(
            recipients: settings.recipients, subject: announcement.subject, lines: announcement.lines)
        let fault = await mail.send(by: settings.sendmail)
        return fault.map { "no mail was sent of the \(announcement.event.rawValue): \($0)" }
    }

    /// `sha256=` and the HMAC of the body in hexadecimal digits, as GitHub signs what it sends.
    static func signature(of body: [UInt8], by secret: Secret) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(body), using: SymmetricKey(data: Data(secret.revealed.utf8)))
        return "sha256=" + code.map { String(format: "%02x", $0) }.joined()
    }

    private static func json(_ value: some Encodable) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { Array($0) }
    }
}
