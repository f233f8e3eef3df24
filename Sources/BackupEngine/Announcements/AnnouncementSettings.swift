package import BackupCore

/// Whom runs are told to, and what of them. Read with the rest of the configuration, never from a request.
package struct AnnouncementSettings: Sendable {
    /// What is worth a notification.
    package enum Event: String, Sendable, Codable, CaseIterable {
        /// A run failed, or a copy that should be there is not.
        case failure
        /// The first run that succeeded after one that failed.
        case recovery
        /// A run that should have begun and did not.
        case missed
        /// A backup much smaller than those before it.
        case anomaly
    }

    /// Told of the beginning and the end of each run, as healthchecks.io expects it (`BACKUP_PING_URL`).
    package var pingURL: Secret?
    /// Gets a JSON document for each event (`BACKUP_NOTIFY_WEBHOOK`).
    package var webhook: Secret?
    /// Signs those documents (`BACKUP_NOTIFY_WEBHOOK_SECRET`).
    package var webhookSecret: Secret?
    /// A webhook of Slack, or of what understands its messages (`BACKUP_NOTIFY_SLACK`).
    package var slack: Secret?
    /// Addresses of mail (`BACKUP_NOTIFY_EMAIL`).
    package var recipients: [String] = []
    /// The path of a program that takes a message as sendmail(8) does (`BACKUP_SENDMAIL`).
    package var sendmail = "/usr/sbin/sendmail"
    /// `BACKUP_NOTIFY_ON`.
    package var events = Set(Event.allCases)
    /// By how many per cent a backup may be smaller than those before it (`BACKUP_ANOMALY_PERCENT`).
    package var anomalyPercent = 50
    /// Before the first repetition of a call that failed; doubled for the second.
    package var callPause = Duration.seconds(1)

    package init() {}

    /// Whether an address of mail can stand in a header and nothing else.
    package static func isAddress(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 254 && !text.hasPrefix("-")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !",;:<>()[]\"\\".utf8.contains($0) }
    }
}
