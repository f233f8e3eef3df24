/// What a verb tells of its course.
package enum ProgressEvent: Sendable, Equatable {
    /// A backup is in the catalog, as running, under this number.
    case began(backupID: Int64)
    /// A named step was reached: between two of them the process may die without harm.
    case step(Step)
    /// Rows and bytes of row text so far, and about how many rows there will be, where known. A few times a second.
    case progress(table: String, rows: Int64, bytes: Int64, expectedRows: Int64?)
    /// Bytes of a copy that have gone to a store or come from one. A few times a second.
    case transfer(Transfer, bytes: Int64, of: Int64)
    case warning(String)

    /// What is carried, and whither.
    package struct Transfer: Sendable, Equatable {
        package enum Direction: String, Sendable { case upload, download }
        package var direction: Direction
        package var store: String
        package var filename: String
    }

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
        case uploadStarted = "upload.started"
        case uploadBegan = "upload.parts-begun"
        case uploadFinished = "upload.finished"
        case uploadRecorded = "upload.recorded"
        case deletionRecorded = "delete.recorded"
        case copyDeleted = "delete.copy-deleted"
        case targetPrepared = "restore.target-prepared"
        case tableLoaded = "restore.table-loaded"
        case loadingFinished = "restore.loading-finished"
        case targetProven = "restore.target-proven"
        case targetCommitted = "restore.target-committed"
    }
}

/// Takes a verb's events; called from any thread, and must not block for long.
package typealias ProgressObserver = @Sendable (ProgressEvent) -> Void
