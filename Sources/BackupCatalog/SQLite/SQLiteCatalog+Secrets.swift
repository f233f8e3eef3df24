package import BackupCore
internal import GRDB

extension SQLiteCatalog {
    /// - Throws: `notFound`; `configuration` where a value was encrypted with a key that is not at hand, and `damaged`
    ///   where it was altered, both naming the job.
    package func secrets(ofJob id: Int64) throws -> JobSecrets {
        // The keys may be changed between the two readings: then the row was written anew, too.
        for _ in 0..<2 {
            do { return try readSecrets(ofJob: id) } catch let error as BackupError where error.code == .configuration {
            }
        }
        return try readSecrets(ofJob: id)
    }

    private func readSecrets(ofJob id: Int64) throws -> JobSecrets {
        let row = try read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT id, name, uuid, s3_secret_key, source_secret, ping_secret FROM backup_jobs WHERE id = ?",
                arguments: [id])
        }
        guard let row else { throw SQLiteCatalog.noJob(id) }
        let sealed = SealedRow(row: LenientRow(row: row))
        let keys = sealed.isEmpty ? [] : try keyring.reading()
        var secrets = JobSecrets()
        secrets.storeKey = try sealed.secret(JobStoreColumns.storeKey, keys)
        secrets.source = try sealed.secret(JobStoreColumns.source, keys)
        secrets.pingURL = try sealed.secret(JobStoreColumns.ping, keys)
        return secrets
    }

    // MARK: - All secrets together

    /// Encrypts what Elder left in plain text.
    ///
    /// - Returns: each change a line.
    func sealPlainSecrets() throws -> [String] {
        var changes: [String] = []
        if try read({ try SealedRow.all(in: $0).contains(where: \.hasPlain) }) {
            let count = try write { database in
                let plain = try SealedRow.all(in: database).filter(\.hasPlain)
                guard !plain.isEmpty else { return 0 }
                try SQLiteCatalog.set(SQLiteCatalog.scrubMark, in: database)
                let key = try self.keyring.writing()
                return try plain.reduce(0) { $0 + (try $1.rewrite(in: database, keys: [], with: key, onlyPlain: true)) }
            }
            changes.append("encrypted \(count) \(count == 1 ? "secret" : "secrets") that stood in plain text")
        }
        if try scrubIfMarked() { changes.append("removed what was left of them in the file") }
        return changes
    }

    /// Encrypts all secrets with a new key.
    ///
    /// At every moment each value can be read with a key that is at hand: the new one is stored before anything is
    /// written with it, and takes the old one's place when nothing needs that any more.
    ///
    /// - Returns: how many values were written, and of how many jobs.
    /// - Throws: `configuration`, naming the job, where a value cannot be read; nothing is changed then.
    package func rotateKey() throws -> (values: Int, jobs: Int) {
        let rows = try read(SealedRow.all)
        let keys = try keyring.reading()
        for row in rows { try row.check(keys) }
        _ = try keyring.begin()
        let counts = try write { database in
            // Whoever held the lock before may have written with the old key, or anew.
            let keys = try self.keyring.reading()
            let key = try self.keyring.writing()
            let rows = try SealedRow.all(in: database)
            if !rows.isEmpty { try SQLiteCatalog.set(SQLiteCatalog.scrubMark, in: database) }
            let values = try rows.reduce(0) { $0 + (try $1.rewrite(in: database, keys: keys, with: key)) }
            return (values: values, jobs: rows.count)
        }
        try keyring.finish()
        _ = try scrubIfMarked()
        return counts
    }

    // MARK: - Traces

    /// Set as long as free space of the file may hold what was there before.
    private static let scrubMark = "secrets_to_scrub"

    private static func set(_ mark: String, in database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO elder_backup_meta(key, value) VALUES (?, '1')", arguments: [mark])
    }

    /// Writes the file anew without its free space, and empties its write-ahead log.
    ///
    /// - Throws: `catalog` where another process keeps that from happening; the next call tries again.
    private func scrubIfMarked() throws -> Bool {
        let mark = SQLiteCatalog.scrubMark
        let sql = "SELECT count(*) FROM elder_backup_meta WHERE key = ?"
        guard try read({ try Int.fetchOne($0, sql: sql, arguments: [mark]) ?? 0 }) > 0 else { return false }
        let isDone: Bool
        do {
            isDone = try queue.writeWithoutTransaction { database in
                try database.execute(sql: "VACUUM")
                return try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)").map { $0[0] == 0 } ?? true
            }
        } catch let error as DatabaseError {
            throw traces("\(error.message ?? "SQLite error")")
        }
        guard isDone else { throw traces("another process is reading it") }
        try write { try $0.execute(sql: "DELETE FROM elder_backup_meta WHERE key = ?", arguments: [mark]) }
        return true
    }

    private func traces(_ reason: String) -> BackupError {
        BackupError(
            .catalog,
            "the secrets in the catalog \(path) are encrypted, but its file may still hold traces of what they were "
                + "before, since it could not be written anew (\(reason)): stop what uses it, see that there is space, and "
                + "run `elder-backup catalog migrate`")
    }
}

/// A job's row, as far as its secrets go.
private struct SealedRow {
    let row: LenientRow

    private var id: Int64 { row.integer("id") ?? 0 }
    private var uuid: String { row.text("uuid") ?? "" }
    private var title: String { "job \(id) \"\(row.text("name") ?? "")\"" }

    var isEmpty: Bool { JobStoreColumns.secrets.allSatisfy { row.filledText($0) == nil } }
    var hasPlain: Bool {
        JobStoreColumns.secrets.contains { row.filledText($0).map { SealedText($0) == nil } ?? false }
    }

    static func all(in database: Database) throws -> [SealedRow] {
        try Row.fetchAll(
            database,
            sql: "SELECT id, name, uuid, s3_secret_key, source_secret, ping_secret FROM backup_jobs "
                + "WHERE s3_secret_key <> '' OR source_secret <> '' OR ping_secret <> '' ORDER BY id"
        ).map { SealedRow(row: LenientRow(row: $0)) }
    }

    func secret(_ column: String, _ keys: [SecretKey]) throws(BackupError) -> Secret? {
        guard let text = row.filledText(column) else { return nil }
        // What Elder wrote since the last migration.
        guard let sealed = SealedText(text) else { return Secret(text) }
        guard let key = keys.first(where: { SealedText.id(of: $0) == sealed.keyID }) else {
            throw BackupError(
                .configuration,
                "\(title): its \(column) was encrypted with another key (\(sealed.keyID)) than those at hand: set "
                    + "BACKUP_SECRET_KEY, or BACKUP_SECRET_KEY_OLD, to that key, or put the file secret.key back; or set "
                    + "the job's secret anew")
        }
        guard let secret = sealed.open(with: key, at: JobStoreColumns.place(column, uuid)) else {
            throw BackupError(
                .damaged,
                "\(title): its \(column) in the catalog was altered, or comes from another row: set it anew with "
                    + "`elder-backup job update \(id)`")
        }
        return secret
    }

    func check(_ keys: [SecretKey]) throws(BackupError) {
        for column in JobStoreColumns.secrets { _ = try secret(column, keys) }
    }

    /// - Returns: how many values were written.
    func rewrite(
        in database: Database, keys: [SecretKey], with key: SecretKey, onlyPlain: Bool = false
    ) throws -> Int {
        var values: [String: DatabaseValue] = [:]
        for column in JobStoreColumns.secrets {
            if onlyPlain, row.filledText(column).map({ SealedText($0) != nil }) ?? true { continue }
            guard let secret = try secret(column, keys) else { continue }
            values[column] = try SealedText.seal(secret, with: key, at: JobStoreColumns.place(column, uuid))
                .databaseValue
        }
        guard !values.isEmpty else { return 0 }
        try SQLiteCatalog.update(values, in: "backup_jobs", id: id, database)
        return values.count
    }
}
