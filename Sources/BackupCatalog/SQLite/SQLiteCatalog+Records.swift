package import BackupCore
internal import GRDB

extension SQLiteCatalog {
    package func beginRun(
        jobID: Int64, filename: String, filePath: String, content: BackupContent?, process: ProcessIdentity,
        at now: Timestamp
    ) throws -> BackupRecord {
        var record = BackupRecord(
            id: 0, jobID: jobID, filename: filename, filePath: filePath, status: .running, startedAt: now,
            createdAt: now, updatedAt: now, localState: .none, process: process
        )
        record.content = content
        try write { database in
            try database.execute(
                sql: "UPDATE backup_jobs SET last_run_at = ? WHERE id = ?", arguments: [now.sql, jobID])
            guard database.changesCount == 1 else { throw SQLiteCatalog.noJob(jobID) }
            record.id = try SQLiteCatalog.insert(record, database)
        }
        return record
    }

    package func recordMissedRun(_ record: BackupRecord) throws -> BackupRecord? {
        var missed = record
        let isNew = try write { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT missed_at FROM backup_jobs WHERE id = ?", arguments: [record.jobID])
            guard let row else { throw SQLiteCatalog.noJob(record.jobID) }
            if LenientRow(row: row).timestamp("missed_at") == record.startedAt { return false }
            try database.execute(
                sql: "UPDATE backup_jobs SET missed_at = ? WHERE id = ?",
                arguments: [record.startedAt.sql, record.jobID])
            missed.id = try SQLiteCatalog.insert(record, database)
            return true
        }
        return isNew ? missed : nil
    }

    package func update(_ record: BackupRecord) throws {
        try write { database in
            var values = SQLiteCatalog.values(of: record)
            for column in ["created_at", "s3_url", "s3_key"] { values[column] = nil }
            try SQLiteCatalog.update(values, in: "backups", id: record.id, database)
            guard database.changesCount == 1 else { throw SQLiteCatalog.noRecord(record.id) }
        }
    }

    package func adopt(_ record: BackupRecord) throws -> BackupRecord {
        var adopted = record
        try write { adopted.id = try SQLiteCatalog.insert(record, $0) }
        return adopted
    }

    package func deleteRecord(id: Int64) throws {
        try write { database in
            try database.execute(sql: "DELETE FROM backup_copies WHERE backup_id = ?", arguments: [id])
            try database.execute(sql: "DELETE FROM backups WHERE id = ?", arguments: [id])
            guard database.changesCount == 1 else { throw SQLiteCatalog.noRecord(id) }
        }
    }

    package func record(id: Int64) throws -> BackupRecord? {
        try selectRecords("WHERE id = ?", [id]).first
    }

    package func records(filename: String) throws -> [BackupRecord] {
        try selectRecords("WHERE filename = ? \(SQLiteCatalog.newestFirst)", [filename])
    }

    package func statistics() throws -> CatalogStatistics {
        let status = SQLiteCatalog.statusExpression
        let onS3 = "\(status) = 'completed' AND coalesce(s3_key, '') != ''"
        let row = try read {
            try Row.fetchOne(
                $0,
                sql: """
                    SELECT count(*) AS total, count(*) FILTER (WHERE \(status) = 'completed') AS completed,
                        count(*) FILTER (WHERE \(status) = 'failed') AS failed,
                        sum(file_size) FILTER (WHERE \(status) = 'completed') AS size,
                        count(*) FILTER (WHERE \(onS3)) AS on_s3, sum(file_size) FILTER (WHERE \(onS3)) AS size_on_s3
                    FROM backups
                    """
            ).map { LenientRow(row: $0) }
        }
        return CatalogStatistics(
            total: Int(row?.integer("total") ?? 0), completed: Int(row?.integer("completed") ?? 0),
            failed: Int(row?.integer("failed") ?? 0), totalSize: row?.integer("size") ?? 0,
            onS3: Int(row?.integer("on_s3") ?? 0), sizeOnS3: row?.integer("size_on_s3") ?? 0
        )
    }

    // MARK: - Rows

    /// What is neither completed nor running counts as failed: nothing unproven may look good.
    static let statusExpression =
        "CASE lower(status) WHEN 'completed' THEN 'completed' WHEN 'running' THEN 'running' ELSE 'failed' END"

    /// Dates are text that sorts by time once the two separators of ISO 8601 and SQL are made one.
    static let startExpression = "replace(coalesce(started_at, created_at, ''), 'T', ' ')"

    static let newestFirst = "ORDER BY \(startExpression) DESC, id DESC"

    private static let columns =
        "id, job_id, filename, file_path, file_size, record_count, status, \(statusExpression) AS known_status, "
        + "\(startExpression) AS start_key, "
        + "error_message, started_at, completed_at, duration_seconds, s3_url, s3_key, created_at, updated_at, sha256, "
        + "verified_at, local_state, process_host, process_pid, process_start, source_identity, source_scope, "
        + summaryColumns

    private static let summaryColumns = """
        (SELECT state FROM backup_copies WHERE backup_id = backups.id AND store = 's3') AS copy_s3_state,
        (SELECT error_message FROM backup_copies WHERE backup_id = backups.id AND store = 's3') AS copy_s3_error,
        (SELECT count(*) FROM backup_copies WHERE backup_id = backups.id AND state = 'present') AS copies_present,
        (SELECT count(*) FROM backup_copies WHERE backup_id = backups.id AND state = 'deleting') AS copies_deleting,
        (SELECT max(locked_until) FROM backup_copies WHERE backup_id = backups.id) AS copies_locked_until
        """

    func selectRecords(_ condition: String, _ arguments: StatementArguments) throws -> [BackupRecord] {
        try selectPlaced(condition, arguments).map(\.record)
    }

    /// Records with what the list is sorted by.
    func selectPlaced(
        _ condition: String, _ arguments: StatementArguments
    ) throws -> [(record: BackupRecord, key: String)] {
        try read { database in
            let sql = "SELECT \(SQLiteCatalog.columns) FROM backups \(condition)"
            let cursor = try Row.fetchCursor(database.cachedStatement(sql: sql), arguments: arguments)
            var records: [(record: BackupRecord, key: String)] = []
            while let row = try cursor.next().map({ LenientRow(row: $0) }) {
                records.append((SQLiteCatalog.record(from: row), row.text("start_key") ?? ""))
            }
            return records
        }
    }

    private static func record(from row: LenientRow) -> BackupRecord {
        let status = row.text("known_status").flatMap(BackupRecord.Status.init(rawValue:)) ?? .failed
        let filename = row.text("filename") ?? ""
        let started = row.timestamp("started_at") ?? row.timestamp("created_at") ?? row.timestamp("completed_at")
        let startedAt = started ?? ArchiveName.timestamp(in: filename) ?? Timestamp(microseconds: 0)
        let createdAt = row.timestamp("created_at") ?? startedAt
        var record = BackupRecord(
            id: row.integer("id") ?? 0, jobID: row.integer("job_id") ?? 0, filename: filename,
            filePath: row.text("file_path") ?? "", fileSize: row.integer("file_size") ?? 0,
            recordCount: row.integer("record_count") ?? 0, status: status, errorMessage: errorMessage(row, status),
            startedAt: startedAt, completedAt: row.timestamp("completed_at"),
            durationSeconds: row.real("duration_seconds"), s3URL: row.filledText("s3_url"),
            s3Key: row.filledText("s3_key"), createdAt: createdAt,
            updatedAt: row.timestamp("updated_at") ?? createdAt, sha256: row.filledText("sha256"),
            verifiedAt: row.timestamp("verified_at"), localState: localState(row, status),
            process: process(row)
        )
        if let identity = row.filledText("source_identity"), let scope = row.filledText("source_scope") {
            record.content = BackupContent(identity: identity, scope: scope)
        }
        record.remote = summary(row, record)
        return record
    }

    private static func summary(_ row: LenientRow, _ record: BackupRecord) -> BackupRecord.RemoteSummary {
        var summary = BackupRecord.RemoteSummary()
        summary.s3State = row.text("copy_s3_state").map { RemoteCopy.State(rawValue: $0) ?? .failed }
        summary.s3Error = row.filledText("copy_s3_error")
        summary.presentCopies = Int(row.integer("copies_present") ?? 0)
        summary.isBeingDeleted = (row.integer("copies_deleting") ?? 0) > 0
        summary.lockedUntil = row.timestamp("copies_locked_until")
        if summary.s3State == nil, record.s3Key != nil {
            summary.s3State = .present
            summary.presentCopies += 1
        }
        return summary
    }

    private static func errorMessage(_ row: LenientRow, _ status: BackupRecord.Status) -> String? {
        if let message = row.filledText("error_message") { return message }
        let stored = row.text("status") ?? ""
        guard status == .failed, stored.lowercased() != "failed" else { return nil }
        return "the catalog has the unknown status \"\(stored.prefix(40))\" for it"
    }

    /// Elder's rows have no state: a completed backup of a known path counts as present until someone looks.
    private static func localState(_ row: LenientRow, _ status: BackupRecord.Status) -> BackupRecord.CopyState {
        if let state = row.text("local_state").flatMap(BackupRecord.CopyState.init(rawValue:)) { return state }
        guard status == .completed else { return .none }
        return row.filledText("file_path") == nil ? .missing : .present
    }

    private static func process(_ row: LenientRow) -> ProcessIdentity? {
        guard let host = row.text("process_host"), let start = row.text("process_start"),
            let pid = row.integer("process_pid").flatMap(Int32.init(exactly:))
        else { return nil }
        return ProcessIdentity(host: host, pid: pid, start: start)
    }

    private static func insert(_ record: BackupRecord, _ database: Database) throws -> Int64 {
        try insert(values(of: record), into: "backups", database)
        return database.lastInsertedRowID
    }

    /// Every column but the id.
    private static func values(of record: BackupRecord) -> [String: DatabaseValue] {
        [
            "job_id": record.jobID.databaseValue,
            "filename": record.filename.databaseValue,
            "file_path": record.filePath.databaseValue,
            "file_size": record.fileSize.databaseValue,
            "record_count": record.recordCount.databaseValue,
            "status": record.status.rawValue.databaseValue,
            "error_message": record.errorMessage.databaseValue,
            "started_at": record.startedAt.sql.databaseValue,
            "completed_at": (record.completedAt?.sql).databaseValue,
            "duration_seconds": record.durationSeconds.databaseValue,
            "s3_url": record.s3URL.databaseValue,
            "s3_key": record.s3Key.databaseValue,
            "created_at": record.createdAt.sql.databaseValue,
            "updated_at": record.updatedAt.sql.databaseValue,
            "sha256": record.sha256.databaseValue,
            "verified_at": (record.verifiedAt?.sql).databaseValue,
            "local_state": record.localState.rawValue.databaseValue,
            "process_host": (record.process?.host).databaseValue,
            "process_pid": (record.process?.pid).databaseValue,
            "process_start": (record.process?.start).databaseValue,
            "source_identity": (record.content?.identity).databaseValue,
            "source_scope": (record.content?.scope).databaseValue,
        ]
    }

    private static func noRecord(_ id: Int64) -> BackupError {
        BackupError(.notFound, "there is no backup \(id): `elder-backup list` shows those there are")
    }
}

/// The date in an archive's name, `backup_{job id}_{yyyymmdd}_{HHMMSS}…`, for rows that have no other.
enum ArchiveName {
    static func timestamp(in filename: String) -> Timestamp? {
        let parts = filename.prefix { $0 != "." }.split(separator: "_")
        guard parts.count >= 4, parts[2].utf8.count == 8, parts[3].utf8.count >= 6 else { return nil }
        let date = Array(parts[2])
        let time = Array(parts[3])
        guard date.count == 8, time.count >= 6 else { return nil }
        return Timestamp(
            "\(String(date[0..<4]))-\(String(date[4..<6]))-\(String(date[6..<8])) "
                + "\(String(time[0..<2])):\(String(time[2..<4])):\(String(time[4..<6]))")
    }
}
