/// Which of a job's backups are old enough to be deleted.
///
/// Age is counted from the job's own backups, never from the clock on the wall: when backups stop, nothing expires.
/// The order in which records were made (their ids) is trusted more than the times they carry, since a clock may jump:
///
/// - The **reference** is the start of the good backup that was made last. Where it lies more than the whole window
///   after the one made before it, that one's start is the reference instead: a single backup does not prove that time
///   has passed, a second one does.
/// - A completed backup that carries a time after the reference, or a time before that of one made earlier, has a
///   wrong time; it counts as being as young as the next one made.
///
/// So one backup under a wrong clock expires nothing that would otherwise be kept, wherever in the history it stands,
/// (given that backups come more often than the window) with two exceptions that nothing can tell from the truth: the very first backup dated too early, and the last one
/// dated too late by less than the window. Several backups in a row under a clock that is ahead do move the reference.
package struct RetentionPlan {
    /// What becomes of one record, and why.
    package struct Decision: Sendable, Equatable {
        package var record: BackupRecord
        package var keep: Bool
        /// For people, part of a sentence: `newest completed backup`, `41 days older than backup 17`.
        package var reason: String

        package init(record: BackupRecord, keep: Bool, reason: String) {
            self.record = record
            self.keep = keep
            self.reason = reason
        }
    }

    /// Decides over the records of one job, in the order given.
    ///
    /// Never deleted: what runs, the newest completed backup (by id and by time), the newest good one and the newest
    /// verified one. A failed run is deleted once it is older than the window; it has no file. A backup is good when it
    /// completed and a copy of it is there. What expired stays as long as a store's object lock holds one of its
    /// copies. A backup whose deletion was begun counts as gone: the deletion goes on.
    ///
    /// - Parameters:
    ///   - records: all records of the job.
    ///   - retentionDays: the window in days; nothing expires when it is less than 1.
    ///   - now: tells which object locks have ended; none has when it is left out.
    ///   - keepsNewestCopy: never deletes the newest that has a copy in a store: while uploads fail, what is there must
    ///     not go.
    package static func plan(
        records: [BackupRecord], retentionDays: Int, now: Timestamp = Timestamp(microseconds: .min),
        keepsNewestCopy: Bool = false
    ) -> [Decision] {
        let standing = records.filter { !$0.remote.isBeingDeleted }
        let context = Context(standing, retentionDays, keepsNewestCopy: keepsNewestCopy)
        return records.map { record in
            var decision: Decision
            if record.remote.isBeingDeleted {
                decision = Decision(record: record, keep: false, reason: "its deletion was begun")
            } else if let context {
                decision = context.decide(record)
            } else {
                decision = Decision(record: record, keep: true, reason: unlimitedReason(record, retentionDays))
            }
            if !decision.keep, let end = record.remote.lockedUntil, end > now {
                decision = Decision(record: record, keep: true, reason: lockReason(end))
            }
            return decision
        }
    }

    /// Why a locked backup stays, part of a sentence.
    package static func lockReason(_ end: Timestamp) -> String { "kept until \(end.sql.prefix(19)) UTC, object lock" }

    private static func unlimitedReason(_ record: BackupRecord, _ retentionDays: Int) -> String {
        if record.status == .running { return "running" }
        return retentionDays < 1 ? "the job's retention is not limited" : "no good backup to count its age from"
    }
}

/// What the decision over one record needs to know of all of them.
private struct Context {
    private let reference: Timestamp
    private let referenceID: Int64
    private let retentionDays: Int
    private let window: Int64
    /// The times at which completed backups count as started, by id.
    private var effectiveStarts: [Int64: Timestamp] = [:]
    /// The reasons of those that are kept whatever their age, by id.
    private var protected: [Int64: String] = [:]

    /// Nil where nothing can expire.
    init?(_ records: [BackupRecord], _ retentionDays: Int, keepsNewestCopy: Bool) {
        guard retentionDays >= 1 else { return nil }
        let completed = records.filter { $0.status == .completed }.sorted { $0.id < $1.id }
        let good = completed.filter(\.isReadable)
        guard let last = good.last else { return nil }
        let (product, overflow) = Int64(retentionDays).multipliedReportingOverflow(by: 86_400_000_000)
        let window = overflow ? .max : product
        var trusted = last
        if let before = good.dropLast().last, Context.span(from: before.startedAt, to: last.startedAt) > window {
            trusted = before
        }
        self.window = window
        self.retentionDays = retentionDays
        reference = trusted.startedAt
        referenceID = trusted.id
        setEffectiveStarts(of: completed)
        protect(completed, good, keepsNewestCopy: keepsNewestCopy)
    }

    func decide(_ record: BackupRecord) -> RetentionPlan.Decision {
        func keep(_ reason: String) -> RetentionPlan.Decision {
            RetentionPlan.Decision(record: record, keep: true, reason: reason)
        }
        if record.status == .running { return keep("running") }
        if let reason = protected[record.id] { return keep(reason) }
        let age = Context.span(from: effectiveStarts[record.id] ?? record.startedAt, to: reference)
        guard age > window else { return keep("within \(retentionDays) days of backup \(referenceID)") }
        let days = age / 86_400_000_000
        let kind = record.status == .failed ? "failed run, " : ""
        return RetentionPlan.Decision(
            record: record, keep: false, reason: "\(kind)\(days) days older than backup \(referenceID)")
    }

    private mutating func protect(_ completed: [BackupRecord], _ good: [BackupRecord], keepsNewestCopy: Bool) {
        func newest(_ records: [BackupRecord]) -> [BackupRecord] {
            [records.last, records.max { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }].compactMap { $0 }
        }
        if keepsNewestCopy {
            let copied = good.filter { $0.remote.presentCopies > 0 }
            for record in newest(copied) { protected[record.id] = "newest backup with a copy in a store" }
        }
        let verified = good.filter { $0.verifiedAt != nil }
        for record in newest(verified) { protected[record.id] = "newest verified backup" }
        for record in newest(good) { protected[record.id] = "newest good backup" }
        for record in newest(completed) { protected[record.id] = "newest completed backup" }
    }

    /// - Parameter completed: by ascending id.
    private mutating func setEffectiveStarts(of completed: [BackupRecord]) {
        var latestSoFar: Timestamp?
        let inOrder = completed.map { record in
            if record.startedAt > reference { return false }
            if let latest = latestSoFar, record.startedAt < latest { return false }
            latestSoFar = record.startedAt
            return true
        }
        var next = reference
        for (record, isInOrder) in zip(completed, inOrder).reversed() {
            if isInOrder { next = record.startedAt }
            effectiveStarts[record.id] = next
        }
    }

    /// In microseconds; as much as fits where the times are absurdly far apart.
    private static func span(from start: Timestamp, to end: Timestamp) -> Int64 {
        let (span, overflow) = end.microseconds.subtractingReportingOverflow(start.microseconds)
        return overflow ? (end > start ? .max : .min) : span
    }
}
