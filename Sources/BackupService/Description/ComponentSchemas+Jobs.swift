internal import BackupCore

extension ComponentSchemas {
    static let jobs: [String: JSONLiteral] = [
        "Job": Schema.object([
            "id": Schema.integer(), "uuid": Schema.text("Tells its files from those of any other job."),
            "name": Schema.text(), "schedule": Schema.nullable(Schema.text("Five fields as in crontab(5).")),
            "time_zone": Schema.nullable(Schema.text("Whose clock the schedule follows; UTC without one.")),
            "retention_days": Schema.integer(), "retention": Schema.named("Retention"), "enabled": Schema.flag(),
            "description": Schema.nullable(Schema.text()), "source": Schema.nullable(Schema.text()),
            "include_tables": Schema.nullable(Schema.list(of: Schema.text())),
            "exclude_tables": Schema.nullable(Schema.list(of: Schema.text())),
            "timeout_seconds": Schema.nullable(Schema.integer("Of a run.")),
            "stall_seconds": Schema.nullable(Schema.integer("Without progress.")),
            "retries": Schema.nullable(Schema.integer()),
            "hooks": Schema.object([
                "pre": Schema.flag(), "post": Schema.flag(), "timeout_seconds": Schema.integer(),
            ]), "ping": Schema.flag("Whether its runs are told to a dead-man switch."),
            "s3_enabled": Schema.nullable(Schema.flag("Null: as is configured for all jobs.")),
            "s3_endpoint": Schema.nullable(Schema.text()), "s3_bucket": Schema.nullable(Schema.text()),
            "s3_region": Schema.nullable(Schema.text()), "s3_access_key": Schema.nullable(Schema.text()),
            "s3_secret_key": Schema.nullable(Schema.text("Never shown.")), "s3_prefix": Schema.nullable(Schema.text()),
            "last_run_at": Schema.nullable(Schema.moment()), "created_at": Schema.moment(),
            "updated_at": Schema.moment(),
            "fault": Schema.nullable(
                Schema.text("What of it cannot be read; then it fails, and nothing of it expires.")),
        ]),
        "Jobs": Schema.object(
            [
                "jobs": Schema.list(of: Schema.named("Job")), "count": Schema.integer(), "next_cursor": Schema.text(),
            ], required: ["jobs", "count"]),
        "JobDeletion": Schema.object(["message": Schema.text(), "deleted_backups": Schema.integer()]),
        "JobChange": Schema.object(change, required: []),
        "NewJob": Schema.object(change.merging(["name": name]) { _, new in new }, required: ["name"]),
        "Retention": Schema.object(retention),
        "RetentionPlan": Schema.object([
            "dry_run": Schema.flag(), "deleted": Schema.integer(), "kept": Schema.integer(),
            "failed": Schema.integer("How many should be gone, and could not be deleted."),
            "freed_bytes": Schema.integer(), "backups": Schema.list(of: Schema.named("RetentionDecision")),
        ]),
        "RetentionDecision": Schema.object([
            "backup_id": Schema.integer(), "job_id": Schema.integer(), "filename": Schema.text(),
            "started_at": Schema.moment(), "keep": Schema.flag(), "reason": Schema.text(),
        ]),
    ]

    private static let name = Schema.text(
        longest: 255, shortest: 1, pattern: #"^[^\x00-\x1F\x7F]*[^\s\x00-\x1F\x7F][^\x00-\x1F\x7F]*$"#)

    private static let change: [String: JSONLiteral] = [
        "name": name,
        "schedule": Schema.nullable(schedule),
        "time_zone": Schema.nullable(Schema.choice(timeZones, "Any name of the time zone database is taken.")),
        "description": Schema.nullable(Schema.text()),
        "enabled": Schema.flag(),
        "include_tables": tables, "exclude_tables": tables,
        "retention_days": rule(from: 1),
        "timeout_seconds": seconds(JobRunOptionsChange.timeouts, "For a whole run; null for no limit."),
        "stall_seconds": seconds(JobRunOptionsChange.stalls, "Without progress; null for no limit."),
        "retries": seconds(JobRunOptionsChange.retryCounts, "How often a run that failed is begun anew."),
        "s3_enabled": Schema.nullable(Schema.flag("Null: as is configured for all jobs.")),
        "s3_endpoint": store("An address that BACKUP_ALLOWED_S3_ENDPOINTS lists.", "^(|https://\(host))$"),
        "s3_bucket": store("Its name.", "^(|[a-z0-9][a-z0-9-]{1,61}[a-z0-9])$"),
        "s3_region": store("Its region.", "^[A-Za-z0-9_-]{0,64}$"),
        "s3_access_key": store("With s3_secret_key.", "^[!-~]{0,1024}$"),
        "s3_secret_key": store("Kept encrypted, never shown.", "^[!-~]{0,1024}$"),
        "s3_prefix": store("Put in front of file names.", #"^[^\x00-\x1F\x7F]*$"#, longest: 900),
        "source": store(
            "A database that BACKUP_ALLOWED_SOURCES lists, as postgresql://HOST/DATABASE or sqlite:///PATH.",
            "^(|postgresql://\(host)/[a-z][a-z0-9_]{0,30})$"),
        "retention": Schema.nullable(
            Schema.object(
                [
                    "days": rule(from: 1), "keep_last": rule(), "hourly": rule(), "daily": rule(), "weekly": rule(),
                    "monthly": rule(), "yearly": rule(), "minimum": rule(from: 1),
                    "max_bytes": Schema.nullable(Schema.integer(from: 0, to: (1 << 53) - 1)),
                ], required: [])),
    ]

    private static let retention: [String: JSONLiteral] = [
        "days": Schema.integer(), "keep_last": Schema.integer(), "hourly": Schema.integer(), "daily": Schema.integer(),
        "weekly": Schema.integer(), "monthly": Schema.integer(), "yearly": Schema.integer(),
        "minimum": Schema.integer(), "max_bytes": Schema.integer(),
    ]

    private static let tables = Schema.nullable(Schema.list(of: Schema.text(shortest: 1)))
    private static let timeZones = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo"]

    private static func seconds(_ range: ClosedRange<Int>, _ description: String) -> JSONLiteral {
        Schema.nullable(Schema.integer(description, from: range.lowerBound, to: range.upperBound))
    }

    private static let host = #"[a-z][a-z0-9]{0,30}(\.[a-z][a-z0-9]{0,30}){0,3}"#

    private static func store(_ description: String, _ pattern: String, longest: Int? = nil) -> JSONLiteral {
        Schema.nullable(Schema.text(description, longest: longest, pattern: pattern))
    }

    private static func rule(from lowest: Int = 0) -> JSONLiteral {
        Schema.nullable(Schema.integer(from: lowest, to: RetentionChange.largest))
    }

    /// The forms that most schedules have: numbers, `*`, `H`, steps and lists of them. Ranges and names are taken as well;
    /// no pattern tells `1-5`, which is one, from `5-1`, which is none.
    private static let schedule: JSONLiteral = {
        func field(_ number: String) -> String { #"(\*(/[1-9])?|H(/[1-9])?|\#(number)(,\#(number)){0,3})"# }
        let minute = field("([0-9]|[1-5][0-9])")
        let hour = field("([0-9]|1[0-9]|2[0-3])")
        let day = field("([1-9]|1[0-9]|2[0-8])")
        let month = field("([1-9]|1[0-2])")
        let weekday = field("[0-7]")
        return Schema.text(
            "Five fields as in crontab(5), with names, ranges and steps; H is a number of the job's own.",
            pattern: "^(|@(yearly|monthly|weekly|daily|hourly)|\(minute) \(hour) \(day) \(month) \(weekday))$")
    }()
}
