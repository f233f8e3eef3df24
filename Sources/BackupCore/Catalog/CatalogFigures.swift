/// What monitoring asks a catalog.
package struct FiguresQuery: Sendable {
    /// Runs that ended since then are told of where ``lastID`` is nil.
    package var since: Timestamp
    /// Only runs with greater ids are new.
    package var lastID: Int64?
    /// Runs that were going on when last asked.
    package var pending: [Int64] = []
    /// The stores that every backup is to have a copy in.
    package var stores: [String] = []
    /// What the jobs' own runs hold, by job; those that are not here may hold anything.
    package var ownContents: [Int64: BackupContent] = [:]

    package init(since: Timestamp) { self.since = since }
}

/// What monitoring is told, all of it of one moment.
package struct CatalogFigures: Sendable, Equatable {
    /// The backups of one job in one state.
    package struct Group: Sendable, Equatable {
        package var jobID: Int64
        package var status: BackupRecord.Status
        package var count: Int64
        /// In bytes.
        package var size: Int64

        package init(jobID: Int64, status: BackupRecord.Status, count: Int64, size: Int64) {
            self.jobID = jobID
            self.status = status
            self.count = count
            self.size = size
        }
    }

    /// A run that has ended.
    package struct Run: Sendable, Equatable {
        package var jobID: Int64
        package var isCompleted: Bool
        package var startedAt: Timestamp?
        package var endedAt: Timestamp?
        package var seconds: Double?
        /// Of the archive, in bytes.
        package var size: Int64
        package var rows: Int64

        package init(
            jobID: Int64, isCompleted: Bool, startedAt: Timestamp?, endedAt: Timestamp?, seconds: Double?, size: Int64,
            rows: Int64
        ) {
            self.jobID = jobID
            self.isCompleted = isCompleted
            self.startedAt = startedAt
            self.endedAt = endedAt
            self.seconds = seconds
            self.size = size
            self.rows = rows
        }
    }

    package struct Copies: Sendable, Equatable {
        package var store: String
        package var state: String
        package var count: Int64

        package init(store: String, state: String, count: Int64) {
            self.store = store
            self.state = state
            self.count = count
        }
    }

    /// A copy that could not be made so far.
    package struct FailedCopy: Sendable, Hashable {
        package var backupID: Int64
        package var store: String
        package var attempts: Int64

        package init(backupID: Int64, store: String, attempts: Int64) {
            self.backupID = backupID
            self.store = store
            self.attempts = attempts
        }
    }

    package var groups: [Group] = []
    /// Each job's newest completed backup that holds what its own runs do, or of which that is not known; where there is
    /// none, the newest of any.
    package var newestCompleted: [Run] = []
    /// Each job's newest run that has ended, by the same rule.
    package var newestEnded: [Run] = []
    /// Runs that have ended since the last question.
    package var ended: [Run] = []
    /// Runs that go on.
    package var running: [Int64] = []
    package var lastID: Int64 = 0
    package var copies: [Copies] = []
    /// Completed backups without a good copy, by store.
    package var missingCopies: [String: Int64] = [:]
    package var failedCopies: [FailedCopy] = []

    package init() {}
}
