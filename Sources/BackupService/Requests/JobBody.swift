internal import BackupCore
internal import Foundation
internal import Hummingbird

/// A job as a client describes it.
enum JobBody {
    private static let retention: Set<String> = [
        "days", "keep_last", "hourly", "daily", "weekly", "monthly", "yearly", "max_bytes", "minimum",
    ]
    private static let known: Set<String> = Set([
        "name", "schedule", "time_zone", "retention_days", "retention", "enabled", "description", "include_tables",
        "exclude_tables", "source", "timeout_seconds", "stall_seconds", "retries",
    ]).union(JobStoreBody.known).union(commandLine)
    /// Whoever may use the API may not run programs here, nor have this machine call others.
    private static let commandLine: Set<String> = [
        "pre_command", "post_command", "hooks", "hook_timeout_seconds", "ping", "ping_url",
    ]

    /// - Parameters:
    ///   - job: the one to be changed; nil for a new one, which needs a name.
    ///   - days: for how long backups are kept where nothing is said of it.
    static func change(_ request: Request, of job: BackupJob?, standardDays days: Int) async throws -> BackupJobChange {
        let shown = try job.map(ShownJob.init)
        var fields = try await RequestFields(request, known: known.union(shown?.fields ?? []))
        var change = BackupJobChange()
        change.name = fields.text("name")
        if job == nil ? change.name?.isEmpty ?? true : fields.isNull("name") { fields.blame("name", "is required") }
        change.schedule = cleared("schedule", &fields)
        change.timeZone = cleared("time_zone", &fields)
        change.description = cleared("description", &fields)
        change.enabled = fields.flag("enabled")
        if fields.isNull("enabled") { fields.blame("enabled", "must be true or false") }
        change.includeTables = tables("include_tables", &fields)
        change.excludeTables = tables("exclude_tables", &fields)
        let standard = RetentionPolicy(days: days)
        if fields.isNull("retention") { change.retention = RetentionChange(standard) }
        change.retention.days = rule("retention_days", or: days, &fields) ?? change.retention.days
        var inner = fields.fields("retention", known: retention)
        inner.readRetention(into: &change.retention, standard)
        change.source = cleared("source", &fields)
        change.store = JobStoreBody.change(&fields)
        change.options.timeoutSeconds = number("timeout_seconds", in: JobRunOptionsChange.timeouts, &fields)
        change.options.stallSeconds = number("stall_seconds", in: JobRunOptionsChange.stalls, &fields)
        change.options.retries = number("retries", in: JobRunOptionsChange.retryCounts, &fields)
        for name in commandLine where fields.has(name) && shown?.holds(name, as: fields) != true {
            fields.blame(name, "can be set by the command line alone, with `elder-backup job update`")
        }
        for name in shown?.fields ?? [] where !known.contains(name) && fields.has(name) {
            if shown?.holds(name, as: fields) != true { fields.blame(name, "cannot be changed") }
        }
        try fields.check(inner)
        return change
    }

    /// A rule of the retention; null for what it is where nothing is said of it.
    fileprivate static func rule<Number>(
        _ name: String, or standard: Number, _ fields: inout RequestFields
    ) -> Number? where Number: BinaryInteger {
        fields.isNull(name) ? standard : fields.number(name).map { Number($0) }
    }

    /// Null takes a text away.
    static func cleared(_ name: String, _ fields: inout RequestFields) -> String? {
        fields.text(name) ?? (fields.has(name) ? "" : nil)
    }

    private static func number(
        _ name: String, in range: ClosedRange<Int>, _ fields: inout RequestFields
    ) -> FieldChange<Int> {
        guard fields.has(name) else { return .keep }
        guard let number = fields.number(name) else { return .clear }
        if !range.contains(number) {
            fields.blame(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return .set(number)
    }

    private static func tables(_ name: String, _ fields: inout RequestFields) -> [String]? {
        fields.texts(name) ?? (fields.has(name) ? [] : nil)
    }
}

/// A job as its clients were shown it. Who changes one of its fields may send all of them back.
private struct ShownJob {
    let fields: Set<String>
    private let slices: JSONSlices

    init(_ job: BackupJob) throws {
        slices = try JSONSlices(object: Array(try JSONEncoder().encode(job)))
        fields = Set(slices.members.map(\.key))
    }

    /// Whether a field has the value that was shown, however it is written.
    func holds(_ name: String, as sent: RequestFields) -> Bool {
        guard let shown = slices[name] else { return false }
        return ShownJob.value(shown).isEqual(ShownJob.value(sent.json(name) ?? Array("null".utf8)))
    }

    private static func value(_ text: [UInt8]) -> NSObject {
        (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) as? NSObject ?? NSObject()
    }
}

extension RequestFields? {
    fileprivate mutating func readRetention(into change: inout RetentionChange, _ standard: RetentionPolicy) {
        guard var fields = self else { return }
        change.days = JobBody.rule("days", or: standard.days, &fields) ?? change.days
        change.last = JobBody.rule("keep_last", or: standard.last, &fields)
        change.hourly = JobBody.rule("hourly", or: standard.hourly, &fields)
        change.daily = JobBody.rule("daily", or: standard.daily, &fields)
        change.weekly = JobBody.rule("weekly", or: standard.weekly, &fields)
        change.monthly = JobBody.rule("monthly", or: standard.monthly, &fields)
        change.yearly = JobBody.rule("yearly", or: standard.yearly, &fields)
        change.maximumBytes = JobBody.rule("max_bytes", or: standard.maximumBytes, &fields)
        change.minimum = JobBody.rule("minimum", or: standard.minimum, &fields)
        self = fields
    }
}
