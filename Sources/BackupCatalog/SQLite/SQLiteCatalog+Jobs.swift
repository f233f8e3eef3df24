package import BackupCore
internal import Foundation
internal import GRDB

extension SQLiteCatalog {
    package func jobs(enabled: Bool?) throws -> [BackupJob] {
        let jobs = try selectJobs("ORDER BY id", [])
        return enabled.map { wanted in jobs.filter { $0.enabled == wanted } } ?? jobs
    }

    package func job(id: Int64) throws -> BackupJob? {
        try selectJobs("WHERE id = ?", [id]).first
    }

    package func job(named name: String) throws -> BackupJob? {
        try selectJobs("WHERE name = ? ORDER BY id", [name]).first
    }

    /// An empty `schedule`, `description` or `source` and an empty list of tables mean none.
    package func createJob(
        _ change: BackupJobChange, defaultRetentionDays: Int, at now: Timestamp
    ) throws -> BackupJob {
        guard change.name != nil else { throw BackupError(.usage, "a job needs a name") }
        let columns = try JobColumns(change, defaults: true, defaultRetentionDays: defaultRetentionDays)
        return try write { database in
            try SQLiteCatalog.requireFreeName(columns.name, except: nil, database)
            let uuid = UUID().uuidString.lowercased()
            var values = try columns.values(
                database, policy: RetentionPolicy(days: defaultRetentionDays), uuid: uuid, key: keyring.writing)
            values["uuid"] = uuid.databaseValue
            values["created_at"] = now.sql.databaseValue
            values["updated_at"] = now.sql.databaseValue
            values["schedule_changed_at"] = now.sql.databaseValue
            try SQLiteCatalog.insert(values, into: "backup_jobs", database)
            return try SQLiteCatalog.existingJob(id: database.lastInsertedRowID, database)
        }
    }

    /// An empty `schedule`, `description` or `source` and an empty list of tables take away what was there.
    package func updateJob(id: Int64, _ change: BackupJobChange, at now: Timestamp) throws -> BackupJob {
        let columns = try JobColumns(change, defaults: false, defaultRetentionDays: 0)
        return try write { database in
            // Secrets are bound to it.
            try CatalogSchema.identifyJobs(in: database, apply: true)
            let found = try Row.fetchOne(
                database,
                sql: "SELECT uuid, config_json, retention_days, retention_json, source_url, source_secret, schedule, "
                    + "time_zone, enabled FROM backup_jobs WHERE id = ?",
                arguments: [id])
            guard let row = found.map({ LenientRow(row: $0) }) else { throw SQLiteCatalog.noJob(id) }
            try SQLiteCatalog.requireFreeName(columns.name, except: id, database)
            // What cannot be read is replaced by what is said now, where that says how long.
            let policy =
                (try? JobRetention.policy(days: row.integer("retention_days"), text: row.filledText("retention_json")))
                ?? RetentionPolicy(days: 30)
            var values = try columns.values(
                database, row: row, policy: policy, uuid: row.text("uuid") ?? "", key: keyring.writing)
            values["updated_at"] = now.sql.databaseValue
            if columns.changesSchedule(of: row) { values["schedule_changed_at"] = now.sql.databaseValue }
            try SQLiteCatalog.update(values, in: "backup_jobs", id: id, database)
            return try SQLiteCatalog.existingJob(id: id, database)
        }
    }

    package func deleteJob(id: Int64) throws {
        try write { database in
            try database.execute(sql: "DELETE FROM backup_jobs WHERE id = ?", arguments: [id])
            guard database.changesCount == 1 else { throw SQLiteCatalog.noJob(id) }
        }
    }

    /// Does nothing where the catalog has this very job. A name that another job has taken meanwhile gets
    /// ` (job ID)` behind it.
    package func adoptJob(_ job: BackupJob) throws {
        var change = BackupJobChange()
        change.name = job.name
        change.timeZone = job.timeZone
        change.retention = RetentionChange(job.retention)
        change.enabled = job.enabled
        change.schedule = job.schedule
        change.description = job.description
        change.source = job.source
        change.includeTables = job.includeTables
        change.excludeTables = job.excludeTables
        change.options = JobRunOptionsChange(job.options)
        guard !job.uuid.isEmpty else { throw BackupError(.catalog, "the job \(job.id) has no UUID") }
        var columns = try JobColumns(change, defaults: true, defaultRetentionDays: job.retention.days)
        try write { database in
            let same = try Row.fetchAll(
                database, sql: "SELECT id, uuid, name FROM backup_jobs WHERE id = ? OR uuid = ?",
                arguments: [job.id, job.uuid])
            for row in same.map({ LenientRow(row: $0) }) {
                if row.integer("id") == job.id, row.text("uuid") == job.uuid { return }
                throw BackupError(
                    .catalog,
                    "cannot put back job \(job.id) \"\(job.name)\": the catalog has job \(row.integer("id") ?? 0) "
                        + "\"\(row.text("name") ?? "")\", which is another one with the same id or UUID"
                )
            }
            if try SQLiteCatalog.holder(ofName: job.name, database) != nil {
                columns.name = job.name.prefix(200) + " (job \(job.id))"
                try SQLiteCatalog.requireFreeName(columns.name, except: nil, database)
            }
            var values = try columns.values(
                database, policy: job.retention, uuid: job.uuid, key: keyring.writing)
            values["id"] = job.id.databaseValue
            values["uuid"] = job.uuid.databaseValue
            values["last_run_at"] = (job.lastRunAt?.sql).databaseValue
            values["created_at"] = job.createdAt.sql.databaseValue
            values["updated_at"] = job.updatedAt.sql.databaseValue
            values["schedule_changed_at"] = (job.scheduleChangedAt?.sql).databaseValue
            try SQLiteCatalog.insert(values, into: "backup_jobs", database)
        }
    }

    // MARK: - Rows

    private static let jobColumns =
        "id, uuid, name, schedule, time_zone, retention_days, retention_json, enabled, description, source_url, "
        + "config_json, last_run_at, created_at, updated_at, s3_enabled, s3_choice, s3_endpoint, s3_bucket, s3_region, "
        + "s3_access_key, s3_secret_key, s3_prefix, source_secret, ping_secret, schedule_changed_at"

    private func selectJobs(_ condition: String, _ arguments: StatementArguments) throws -> [BackupJob] {
        let sql = "SELECT \(SQLiteCatalog.jobColumns) FROM backup_jobs \(condition)"
        let rows = try read { try Row.fetchAll($0, sql: sql, arguments: arguments) }
        if rows.allSatisfy({ LenientRow(row: $0).filledText("uuid") != nil }) {
            return rows.map(SQLiteCatalog.job(from:))
        }
        // Elder's own service added a job since the catalog was opened.
        return try write { database in
            try CatalogSchema.identifyJobs(in: database, apply: true)
            return try Row.fetchAll(database, sql: sql, arguments: arguments).map(SQLiteCatalog.job(from:))
        }
    }

    private static func existingJob(id: Int64, _ database: Database) throws -> BackupJob {
        let row = try Row.fetchOne(
            database, sql: "SELECT \(jobColumns) FROM backup_jobs WHERE id = ?", arguments: [id])
        guard let row else { throw noJob(id) }
        return job(from: row)
    }

    /// What a row lacks is taken from Elder's defaults: 30 days, enabled. What cannot be read is the job's fault and no
    /// other's.
    private static func job(from row: Row) -> BackupJob {
        let row = LenientRow(row: row)
        let id = row.integer("id") ?? 0
        var tables = JobTables()
        var options = JobRunOptions()
        // Keeps everything.
        var retention = RetentionPolicy(days: 0)
        var fault: String?
        do throws(BackupError) {
            retention = try JobRetention.policy(
                days: row.integer("retention_days"), text: row.filledText("retention_json"))
            tables = try JobTables(config: row.text("config_json"))
            options = try JobOptionsText.options(JobTables.object(row.text("config_json")) ?? [:])
        } catch {
            fault = "job \(id): \(error.message)"
        }
        let created = row.timestamp("created_at") ?? row.timestamp("updated_at") ?? row.timestamp("last_run_at")
        let createdAt = created ?? Timestamp(microseconds: 0)
        var job = BackupJob(
            id: id, uuid: row.text("uuid") ?? "", name: row.filledText("name") ?? "job \(id)",
            schedule: row.filledText("schedule"), timeZone: row.filledText("time_zone"), retention: retention,
            enabled: row.boolean("enabled") ?? true, description: row.filledText("description"),
            source: row.filledText("source_url"), includeTables: tables.include, excludeTables: tables.exclude,
            lastRunAt: row.timestamp("last_run_at"), createdAt: createdAt,
            updatedAt: row.timestamp("updated_at") ?? createdAt
        )
        job.scheduleChangedAt = row.timestamp("schedule_changed_at")
        job.options = options
        job.fault = fault
        job.options.hasPing = row.filledText(JobStoreColumns.ping) != nil
        job.hasSourceSecret = row.filledText(JobStoreColumns.source) != nil
        job.store = JobStoreColumns.store(from: row)
        return job
    }

    private static func requireFreeName(_ name: String?, except id: Int64?, _ database: Database) throws {
        guard let name, let holder = try holder(ofName: name, database), holder != id else { return }
        throw BackupError(.taken, "there is a job named \"\(name)\" already, job \(holder): choose another name")
    }

    private static func holder(ofName name: String, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database, sql: "SELECT id FROM backup_jobs WHERE name = ? ORDER BY id LIMIT 1", arguments: [name])
    }

    static func noJob(_ id: Int64) -> BackupError {
        BackupError(.notFound, "there is no job \(id): `elder-backup job list` shows those there are")
    }
}
