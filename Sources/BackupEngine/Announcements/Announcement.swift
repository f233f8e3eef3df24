internal import BackupCatalog
internal import BackupCore

/// What is told of a run. Holds no secret: errors and names of files never do.
struct Announcement: Sendable, Encodable {
    struct Job: Sendable, Encodable {
        /// Nil where the catalog could not tell.
        var id: Int64?
        /// Or what it was asked for by.
        var name: String

        init(_ job: BackupJob) {
            id = job.id
            name = job.name
        }

        init(_ text: String) {
            id = Int64(text)
            name = text
        }
    }

    var event: AnnouncementSettings.Event
    /// One line for people.
    var message: String
    var job: Job
    var backup: Backup?
    var host: String
    var at: Timestamp

    struct Backup: Sendable, Encodable {
        var id: Int64
        var status: BackupRecord.Status
        var filename: String
        /// In bytes.
        var fileSize: Int64
        var recordCount: Int64
        var error: String?
        var startedAt: Timestamp
        var completedAt: Timestamp?
        var durationSeconds: Double?

        private enum CodingKeys: String, CodingKey {
            case id, status, filename, error
            case fileSize = "file_size"
            case recordCount = "record_count"
            case startedAt = "started_at"
            case completedAt = "completed_at"
            case durationSeconds = "duration_seconds"
        }
    }

    init(_ event: AnnouncementSettings.Event, _ message: String, _ job: BackupJob, _ record: BackupRecord?) {
        self.init(event, message, Job(job), record)
    }

    init(_ event: AnnouncementSettings.Event, _ message: String, _ job: Job, _ record: BackupRecord?) {
        self.event = event
        self.message = Announcement.line(message)
        self.job = job
        backup = record.map { record in
            Backup(
                id: record.id, status: record.status, filename: record.filename, fileSize: record.fileSize,
                recordCount: record.recordCount, error: record.errorMessage.map(Announcement.line),
                startedAt: record.startedAt, completedAt: record.completedAt,
                durationSeconds: record.durationSeconds)
        }
        host = ProcessIdentity.current().host
        at = .now()
    }

    var subject: String {
        switch event {
        case .failure: "backup of \(job.name) failed"
        case .recovery: "backup of \(job.name) is good again"
        case .missed: "backup of \(job.name) was missed"
        case .anomaly: "backup of \(job.name) is suspiciously small"
        }
    }

    /// For people, a line each.
    var lines: [String] {
        let id = job.id.map { "\($0) " } ?? ""
        var lines = [message, "", "event   \(event.rawValue)", "job     \(id)\(Announcement.line(job.name))"]
        if let backup {
            lines.append("backup  \(backup.id) \(backup.status.rawValue) \(backup.filename)")
            lines.append("rows    \(backup.recordCount)")
            lines.append("bytes   \(backup.fileSize)")
        }
        return lines + ["host    \(host)", "time    \(at.iso8601)"]
    }

    /// Bounded, on one line.
    static func line(_ text: String) -> String {
        String(text.prefix(2000).map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 } ? " " : $0 })
    }
}
