/// What is backed up, when, and for how long it is kept: a row of `backup_jobs`.
package struct BackupJob: Sendable, Encodable, Equatable {
    package var id: Int64
    /// Tells this job's files from those of any other job of any installation.
    package var uuid: String
    package var name: String
    package var schedule: String?
    /// The zone whose clock the schedule and the days of the retention follow, by its name in the time zone database; UTC
    /// when nil.
    package var timeZone: String?
    /// For how long its backups are kept.
    package var retention: RetentionPolicy
    package var enabled: Bool
    package var description: String?
    /// The database to back up; the configured one when nil. Never holds a password: the mask stands for one.
    package var source: String?
    /// Whether the catalog keeps the whole address, of which ``source`` shows a part.
    package var hasSourceSecret = false
    /// Where its backups are copied to, as far as that is not as configured.
    package var store = JobStore()
    /// Only these tables; all when nil.
    package var includeTables: [String]?
    package var excludeTables: [String]?
    /// Limits, retries, hooks and pings of its runs.
    package var options = JobRunOptions()
    package var lastRunAt: Timestamp?
    /// Since when the schedule holds: when it, its time zone or ``enabled`` last changed. Nil where that was before the
    /// catalog kept it.
    package var scheduleChangedAt: Timestamp?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// What of it the catalog holds cannot be read, and what to do; then its tables, its options and its retention are
    /// not known, nothing is backed up by it, and nothing of it expires.
    package var fault: String?

    private enum CodingKeys: String, CodingKey {
        case id, uuid, name, schedule, enabled, description, source, retention, retries, hooks, ping, fault
        case timeoutSeconds = "timeout_seconds"
        case stallSeconds = "stall_seconds"
        case timeZone = "time_zone"
        case retentionDays = "retention_days"
        case includeTables = "include_tables"
        case excludeTables = "exclude_tables"
        case lastRunAt = "last_run_at"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    package init(
        id: Int64, uuid: String, name: String, schedule: String? = nil, timeZone: String? = nil,
        retention: RetentionPolicy, enabled: Bool = true,
        description: String? = nil, source: String? = nil, includeTables: [String]? = nil,
        excludeTables: [String]? = nil, lastRunAt: Timestamp? = nil, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.uuid = uuid
        self.name = name
        self.schedule = schedule
        self.timeZone = timeZone
        self.retention = retention
        self.enabled = enabled
        self.description = description
        self.source = source
        self.includeTables = includeTables
        self.excludeTables = excludeTables
        self.lastRunAt = lastRunAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension BackupJob {
    /// - Throws: `catalog` for a job of which the catalog holds something that cannot be read.
    package func requireReadable() throws(BackupError) {
        if let fault { throw BackupError(.catalog, fault) }
    }

    /// Every field, as Elder's clients expect it: what is missing as null.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(uuid, forKey: .uuid)
        try values.encode(name, forKey: .name)
        try values.encode(schedule, forKey: .schedule)
        try values.encode(timeZone, forKey: .timeZone)
        try values.encode(retention.days, forKey: .retentionDays)
        try values.encode(retention, forKey: .retention)
        try values.encode(enabled, forKey: .enabled)
        try values.encode(description, forKey: .description)
        try values.encode(source, forKey: .source)
        try values.encode(includeTables, forKey: .includeTables)
        try values.encode(excludeTables, forKey: .excludeTables)
        try values.encode(options.timeoutSeconds, forKey: .timeoutSeconds)
        try values.encode(options.stallSeconds, forKey: .stallSeconds)
        try values.encode(options.retries, forKey: .retries)
        try values.encode(Hooks(options), forKey: .hooks)
        try values.encode(options.hasPing, forKey: .ping)
        try values.encode(lastRunAt, forKey: .lastRunAt)
        try values.encode(createdAt, forKey: .createdAt)
        try values.encode(updatedAt, forKey: .updatedAt)
        try values.encode(fault, forKey: .fault)
        try store.encode(into: encoder)
    }
}

extension BackupJob {
    /// That there are hooks, not what they are: a command may hold what is secret.
    private struct Hooks: Encodable {
        var pre: Bool
        var post: Bool
        var timeoutSeconds: Int

        private enum CodingKeys: String, CodingKey {
            case pre, post
            case timeoutSeconds = "timeout_seconds"
        }

        init(_ options: JobRunOptions) {
            pre = options.preCommand != nil
            post = options.postCommand != nil
            timeoutSeconds = options.hookSeconds ?? JobRunOptions.standardHookSeconds
        }
    }
}

/// What a user says of a job that is made or changed; nil leaves a field as it is, or at its default.
package struct BackupJobChange: Sendable, Equatable {
    package var name: String?
    package var schedule: String?
    package var timeZone: String?
    package var retention = RetentionChange()
    package var enabled: Bool?
    package var description: String?
    /// May hold a password.
    package var source: String?
    package var store = JobStoreChange()
    package var includeTables: [String]?
    package var excludeTables: [String]?
    package var options = JobRunOptionsChange()

    package init() {}
}
