internal import BackupEngine

/// A run that was asked for: what is known of it, and the means to stop it.
struct Run: Sendable {
    /// What a run is asked for with.
    struct Request: Sendable {
        var kind: RunDescription.Kind
        /// Who asks.
        var name: String
        var jobID: Int64?
        /// The backup that is worked on.
        var backupID: Int64?
        /// Whether it takes one of the places that are limited.
        var isLong = true
        /// What was kept for it beforehand.
        var turn: Place?
    }

    let id: String
    let request: Request
    let log: RunLog
    let control: RunControl

    init(_ request: Request) {
        // Not to be guessed from others, nor to be taken for one of an earlier start.
        id = String(UInt64.random(in: .min ... .max), radix: 16)
        self.request = request
        let log = RunLog(
            RunDescription(
                id: id, kind: request.kind, requestedBy: request.name, jobID: request.jobID,
                backupID: request.backupID))
        self.log = log
        control = RunControl(announcesLater: true) { log.note($0) }
    }
}
