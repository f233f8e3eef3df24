internal import BackupCore
internal import Hummingbird

/// A job as a client describes it.
enum JobBody {
    private static let retention: Set<String> = [
        "days", "keep_last", "hourly", "daily", "weekly", "monthly", "yearly", "max_bytes", "minimum",
    ]
    private static let known: Set<String> = Set([
        "name", "schedule", "time_zone", "retention_days", "retention", "enabled", "description", "include_tables",
        "exclude_tables", "source",
    ]).union(JobStoreBody.known)

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
        try fields.check(inner)
        return change
    }

    /// Null takes a text away.
    static func cleared(_ name: String, _ fields: inout RequestFields) -> String? {
        fields.text(name) ?? (fields.has(name) ? "" : nil)
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
