internal import BackupCore
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

    /// - Parameter isNew: whether a name is needed.
    static func change(_ request: Request, isNew: Bool) async throws -> BackupJobChange {
        var fields = try await RequestFields(request, known: known)
        var change = BackupJobChange()
        change.name = fields.text("name")
        if isNew, change.name?.isEmpty ?? true { fields.blame("name", "is required") }
        change.schedule = cleared("schedule", &fields)
        change.timeZone = cleared("time_zone", &fields)
        change.description = cleared("description", &fields)
        change.enabled = fields.flag("enabled")
        change.includeTables = tables("include_tables", &fields)
        change.excludeTables = tables("exclude_tables", &fields)
        change.retention.days = fields.number("retention_days")
        var inner = fields.fields("retention", known: retention)
        inner.readRetention(into: &change.retention)
        change.source = cleared("source", &fields)
        change.store = JobStoreBody.change(&fields)
        change.options.timeoutSeconds = number("timeout_seconds", in: JobRunOptionsChange.timeouts, &fields)
        change.options.stallSeconds = number("stall_seconds", in: JobRunOptionsChange.stalls, &fields)
        change.options.retries = number("retries", in: JobRunOptionsChange.retryCounts, &fields)
        for name in commandLine where fields.has(name) {
            fields.blame(name, "can be set by the command line alone, with `elder-backup job update`")
        }
        try fields.check(inner)
        return change
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

extension RequestFields? {
    fileprivate mutating func readRetention(into change: inout RetentionChange) {
        guard var fields = self else { return }
        change.days = fields.number("days") ?? change.days
        change.last = fields.number("keep_last")
        change.hourly = fields.number("hourly")
        change.daily = fields.number("daily")
        change.weekly = fields.number("weekly")
        change.monthly = fields.number("monthly")
        change.yearly = fields.number("yearly")
        change.maximumBytes = fields.number("max_bytes").map(Int64.init)
        change.minimum = fields.number("minimum")
        self = fields
    }
}
