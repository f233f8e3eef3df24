/// The seam to whatever keeps jobs and backups. Each call is one transaction; calls block.
package protocol CatalogStore: Sendable {
    /// Tells this installation's files from those of others that share a directory or a bucket; made once.
    func installationID() throws -> String

    func jobs(enabled: Bool?) throws -> [BackupJob]
    func job(id: Int64) throws -> BackupJob?
    func job(named name: String) throws -> BackupJob?
    /// Makes a job; its name must be set and not be taken.
    func createJob(_ change: BackupJobChange, defaultRetentionDays: Int, at now: Timestamp) throws -> BackupJob
    /// Throws `notFound` where there is no such job.
    func updateJob(id: Int64, _ change: BackupJobChange, at now: Timestamp) throws -> BackupJob
    /// A job's secrets. Throws `notFound`; `configuration` where they were encrypted with a key that is not at hand,
    /// `damaged` where they were altered.
    func secrets(ofJob id: Int64) throws -> JobSecrets
    /// Encrypts all secrets of jobs with a new key: how many values, of how many jobs. Throws `configuration` where one
    /// cannot be read; nothing is changed then.
    func rotateKey() throws -> (values: Int, jobs: Int)
    /// Removes a job. Its backups stay, with their files; throws `notFound` where there is no such job.
    func deleteJob(id: Int64) throws

    /// Writes down that a run began, before it does anything else, and sets the job's `last_run_at`.
    ///
    /// - Parameter content: what the backup is to hold; nil where that is not known.
    func beginRun(
        jobID: Int64, filename: String, filePath: String, content: BackupContent?, process: ProcessIdentity,
        at now: Timestamp
    ) throws -> BackupRecord
    /// Adds the record of a run that did not begin at the moment it was due, its `startedAt`; `id` is ignored. Leaves the
    /// job's `last_run_at`, since the run may still be made up for. Nil where that miss is written down already; throws
    /// `notFound` where there is no such job.
    func recordMissedRun(_ record: BackupRecord) throws -> BackupRecord?
    /// Stores all fields of the record that may change, but for what its copies say (``save(_:)``). The record must
    /// exist.
    func update(_ record: BackupRecord) throws
    /// Adds a record for an archive that this catalog did not know (`catalog rebuild`); `id` is ignored.
    func adopt(_ record: BackupRecord) throws -> BackupRecord
    /// Puts a job back under the id and UUID it had (`catalog rebuild`). Throws where the id is taken by another job.
    func adoptJob(_ job: BackupJob) throws
    /// Removes a record and what is known of its copies.
    func deleteRecord(id: Int64) throws

    func record(id: Int64) throws -> BackupRecord?
    func records(filename: String) throws -> [BackupRecord]
    /// Newest first. No limit when nil.
    func records(jobID: Int64?, status: BackupRecord.Status?, limit: Int?) throws -> [BackupRecord]
    /// A job's completed backups that hold the same, the newest first; those of unknown content when nil.
    func completed(jobID: Int64, holding content: BackupContent?, limit: Int) throws -> [BackupRecord]
    /// Newest first, by an index: how many backups there are does not matter.
    func page(_ query: BackupQuery) throws -> BackupPage
    func statistics() throws -> CatalogStatistics
    func figures(_ query: FiguresQuery) throws -> CatalogFigures

    /// Stores a copy in place of what was known of it, and `s3_url` and `s3_key` of its backup's row where it is the
    /// primary store's. Throws `notFound` where there is no such backup.
    func save(_ copy: RemoteCopy) throws
    /// Forgets a copy, which is gone.
    func deleteCopy(backupID: Int64, store: String) throws
    /// A backup's copies, the primary store's first; what the backup's row alone tells of included.
    func copies(backupID: Int64) throws -> [RemoteCopy]
    /// All copies in these states, the newest backup's first.
    func copies(in states: Set<RemoteCopy.State>) throws -> [RemoteCopy]

    /// Writes down a new API token; its `id` is ignored. Throws `usage` where a token of the name is valid already.
    ///
    /// - Parameter hash: of the token's text, in lower-case hexadecimal digits.
    func createToken(_ token: AccessToken, hash: String) throws -> AccessToken
    /// All tokens ever made, by id.
    func tokens() throws -> [AccessToken]
    func token(hash: String) throws -> AccessToken?
    /// Writes down that a token was used.
    func noteUse(ofToken id: Int64, at now: Timestamp) throws
    /// Throws `notFound` where there is no such token; does nothing where it is revoked already.
    func revokeToken(id: Int64, at now: Timestamp) throws -> AccessToken

    /// Writes down what someone did; its `id` is ignored. What is written is never changed.
    func recordAudit(_ entry: AuditEntry) throws
    /// What was done, the newest first: what was written down before the entry `id`, or all when nil.
    func auditEntries(before id: Int64?, limit: Int) throws -> [AuditEntry]
}

/// Figures over all backups.
package struct CatalogStatistics: Sendable, Equatable {
    package var total: Int
    package var completed: Int
    package var failed: Int
    /// Sum of the sizes of completed backups, in bytes.
    package var totalSize: Int64
    /// Completed backups with a copy on the primary store.
    package var onS3: Int
    /// Sum of their sizes, in bytes.
    package var sizeOnS3: Int64

    package init(
        total: Int, completed: Int, failed: Int, totalSize: Int64, onS3: Int = 0, sizeOnS3: Int64 = 0
    ) {
        self.total = total
        self.completed = completed
        self.failed = failed
        self.totalSize = totalSize
        self.onS3 = onS3
        self.sizeOnS3 = sizeOnS3
    }
}
