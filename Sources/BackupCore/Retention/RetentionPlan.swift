/// Which of a job's backups are kept, and which go: a reason for each.
///
/// Age is counted from the job's own backups, never from the clock on the wall: when backups stop, nothing expires.
/// ``RetentionTimes`` says how much of the clock is believed.
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
    /// Never deleted: what runs; and of the backups of each content the newest completed one (by id and by time), the
    /// newest good one, the newest verified one, and so many of the newest good ones as the policy's minimum says
    /// (``RetentionGroups`` tells how the contents count). A backup is good when it completed and a copy of it is there. A
    /// failed run, or a backup without any copy, has nothing to lose: it goes once it is older than the window, which is
    /// 30 days where the policy has none. What expired stays as long as a store's object lock holds one of its copies. A
    /// backup whose deletion was begun counts as gone: the deletion goes on.
    ///
    /// - Parameters:
    ///   - records: all records of the job.
    ///   - own: what the job's own backups hold as it is now; nil where that is not known.
    ///   - now: tells which object locks have ended; none has when it is left out.
    ///   - offset: by how many seconds the job's time zone is ahead of UTC at a moment.
    ///   - keepsNewestCopy: never deletes the newest that has a copy in a store: while uploads fail, what is there must
    ///     not go.
    package static func plan(
        records: [BackupRecord], policy: RetentionPolicy, own: BackupContent? = nil,
        now: Timestamp = Timestamp(microseconds: .min), keepsNewestCopy: Bool = false,
        offset: (Timestamp) -> Int = { _ in 0 }
    ) -> [Decision] {
        let standing = records.filter { !$0.remote.isBeingDeleted }
        let groups = RetentionGroups(
            standing, policy, own: own, now, keepsNewestCopy: keepsNewestCopy, offset: offset)
        return records.map { record in
            if record.remote.isBeingDeleted {
                return kept(Decision(record: record, keep: false, reason: "its deletion was begun"), now)
            }
            return kept(groups.decide(record), now)
        }
    }

    /// The decision, but for what a lock holds.
    private static func kept(_ decision: Decision, _ now: Timestamp) -> Decision {
        guard !decision.keep, let end = decision.record.remote.lockedUntil, end > now else { return decision }
        return Decision(record: decision.record, keep: true, reason: lockReason(end))
    }

    /// Why a locked backup stays, part of a sentence.
    package static func lockReason(_ end: Timestamp) -> String { "kept until \(end.sql.prefix(19)) UTC, object lock" }
}
