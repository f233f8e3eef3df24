/// What is backed up, when, and for how long it is kept: a row of `backup_jobs`.
package struct BackupJob: Sendable, Codable, Equatable {
    package var id: Int64
    /// Tells this job's files from those of any other job of any installation.
    package var uuid: String
    package var name: String
    package var schedule: String?
    /// The age in days at which a backup may be deleted, counted from the job's newest good backup.
    package var retentionDays: Int
    package var enabled: Bool
    package var description: String?
    /// The database to back up; the configured one when nil. Never holds a password.
    package var source: String?
    /// Only these tables; all when nil.
    package var includeTables: [String]?
    package var excludeTables: [String]?
    package var lastRunAt: Timestamp?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
        case id, uuid, name, schedule, enabled, description, source
        case retentionDays = "retention_days"
        case includeTables = "include_tables"
        case excludeTables = "exclude_tables"
        case lastRunAt = "last_run_at"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    package init(
        id: Int64, uuid: String, name: String, schedule: String? = nil, retentionDays: Int, enabled: Bool = true,
        description: String? = nil, source: String? = nil, includeTables: [String]? = nil,
        excludeTables: [String]? = nil, lastRunAt: Timestamp? = nil, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.uuid = uuid
        self.name = name
        self.schedule = schedule
        self.retentionDays = retentionDays
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

/// What a user says of a job that is made or changed; nil leaves a field as it is, or at its default.
package struct BackupJobChange: Sendable, Equatable {
    package var name: String?
    package var schedule: String?
    package var retentionDays: Int?
    package var enabled: Bool?
    package var description: String?
    package var source: String?
    package var includeTables: [String]?
    package var excludeTables: [String]?

    package init() {}
}
