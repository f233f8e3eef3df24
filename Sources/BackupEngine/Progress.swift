/// What a verb tells of its course.
package enum ProgressEvent: Sendable, Equatable {
    /// A named step was reached: between two of them the process may die without harm.
    case step(Step)
    /// Rows and bytes of row text so far, and about how many rows there will be, where known. A few times a second.
    case progress(table: String, rows: Int64, bytes: Int64, expectedRows: Int64?)
    case warning(String)

    /// The moments in a backup's and a restore's life at which what is on disk or in the catalog changes.
    package enum Step: String, Sendable, CaseIterable {
        case backupRecorded = "backup.recorded"
        case snapshotTaken = "backup.snapshot-taken"
        case archiveCreated = "backup.archive-created"
        case tableWritten = "backup.table-written"
        case archiveWritten = "backup.archive-written"
        case archiveSynced = "backup.archive-synced"
        case archiveRenamed = "backup.archive-renamed"
        case manifestWritten = "backup.manifest-written"
        case manifestRenamed = "backup.manifest-renamed"
        case directorySynced = "backup.directory-synced"
        case backupCompleted = "backup.completed"
        case targetPrepared = "restore.target-prepared"
        case tableLoaded = "restore.table-loaded"
        case loadingFinished = "restore.loading-finished"
        case targetProven = "restore.target-proven"
        case targetCommitted = "restore.target-committed"
    }
}

/// Takes a verb's events; called from any thread, and must not block for long.
package typealias ProgressObserver = @Sendable (ProgressEvent) -> Void
