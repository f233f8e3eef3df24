package import BackupCore

/// How the service listens, whom it lets in, and how it schedules.
package struct ServiceSettings: Sendable {
    /// An address of this machine, or a name of one.
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 5000
    /// The key of Elder's tokens (HS256); nil lets none of them in.
    package var elderKey: Secret?
    /// The subjects of Elder's tokens that count as admins; all others are refused.
    package var elderAdmins: Set<String> = []
    /// Whether a run that was missed while the service was away is made up for when it starts.
    package var catchesUp = true
    /// How long runs may go on once the service is told to stop.
    package var shutdownPatience: Duration = .seconds(600)
    /// How many backups, restores, verifications and uploads go on at a time (`BACKUP_MAX_RUNS`).
    package var maximumRuns = 2
    /// How many more may wait for their turn (`BACKUP_MAX_QUEUE`).
    package var longestQueue = 100
    /// The largest file that may be sent to be imported, in bytes.
    package var largestImport: Int64 = 10 << 30
    /// Whether metrics are told to everyone, and not only to those with a token.
    package var hasPublicMetrics = false

    package init() {}

    /// In bytes: a shorter key of HS256 can be guessed (RFC 7518, section 3.2).
    package static let shortestKey = 32
}
