package import BackupCore

/// What the verbs need to know beyond a single request. Read in one place, by the command or the service.
package struct EngineConfiguration: Sendable {
    /// Where archives and, unless told otherwise, the catalog lie (`BACKUP_DIR`).
    package var backupDirectory: String
    /// `sqlite:PATH` of the catalog (`BACKUP_CATALOG_URL`); `catalog.sqlite` in the backup directory when nil.
    package var catalogURL: DatabaseURL?
    /// The database to back up where neither the request nor the job names one (`DATABASE_URL`).
    package var source: DatabaseURL?
    /// For new jobs, in days (`BACKUP_RETENTION_DAYS`).
    package var retentionDays = 30
    /// `BACKUP_COMPRESSION`.
    package var compression = CompressionLevel.fast
    /// The largest row, in bytes of its values (`BACKUP_MAX_ROW`).
    package var maximumRow = 256 << 20
    /// How long to wait for a database's lock (`BACKUP_LOCK_TIMEOUT`).
    package var lockTimeout = Duration.seconds(30)
    /// How long one statement of a server may take (`BACKUP_STATEMENT_TIMEOUT`); nil for no limit.
    package var statementTimeout: Duration?
    /// How a source is checked by its own engine while it is backed up (`BACKUP_SOURCE_CHECK`).
    package var sourceCheck = SourceCheck.quick
    /// Over how many connections large tables are read (`BACKUP_JOBS`).
    package var jobs = 2
    /// The directories in which PostgreSQL's own programs are looked for; nil for the usual ones.
    package var programDirectories: [String]?
    /// By how many bytes a write-ahead log may grow during a backup (`BACKUP_MAX_WAL_GROWTH`); nil for no limit.
    package var maximumLogGrowth: Int?
    /// For how many days exports are kept (`BACKUP_EXPORT_DAYS`).
    package var exportDays = 7
    /// The stores that backups are copied to (`BACKUP_S3_…`); nil where there are none.
    package var remote: RemoteSettings?
    /// The pause before a job's first retry; doubled for each further one (`BACKUP_RETRY_DELAY`).
    package var retryDelay = Duration.seconds(10)
    /// Whom runs are told to.
    package var announcements = AnnouncementSettings()
    /// What a job's own store stands on where no bucket is named for all jobs: the rest of `BACKUP_S3_…`.
    package var remoteBasis: RemoteSettings?
    /// What secrets in the catalog are encrypted with (`BACKUP_SECRET_KEY`); the file `secret.key` in the backup
    /// directory when nil.
    package var secretKey: SecretKey?
    /// The key before, to read with (`BACKUP_SECRET_KEY_OLD`).
    package var oldSecretKey: SecretKey?
    /// What clients of the API may give a job.
    package var allowed = AllowedPlaces()

    package init(backupDirectory: String) {
        self.backupDirectory = backupDirectory
    }
}
