/// A job's history, divided by what its backups hold, and the rules of each part.
///
/// The **own** group is that of the job's database and tables as the job says them now. Each group is planned by itself,
/// with two additions in one direction only:
///
/// - What another group holds ages by the own group's backups too, where those are newer: otherwise a group that gets no
///   new backups any more would stay for ever as it is.
/// - Backups of which it is not known what they hold, most of which will be the job's own, count behind the own ones as
///   one history with them.
///
/// Neither takes away what protects a backup within its group alone.
struct RetentionGroups {
    private let own: BackupContent?
    private let hasSeveral: Bool
    private var rules: [BackupContent?: RetentionRules] = [:]
    /// Of those of which it is not known what they hold, together with the own ones.
    private let joined: RetentionRules?
    /// Of all together: failed runs hold nothing.
    private let all: RetentionRules?
    private let policy: RetentionPolicy

    init(
        _ records: [BackupRecord], _ policy: RetentionPolicy, own: BackupContent?, _ now: Timestamp,
        keepsNewestCopy: Bool, offset: (Timestamp) -> Int
    ) {
        func rules(_ records: [BackupRecord], agedBy others: RetentionRules? = nil) -> RetentionRules? {
            RetentionRules(
                records, policy, now, agedBy: others, keepsNewestCopy: keepsNewestCopy, offset: offset)
        }
        let groups = Dictionary(grouping: records.filter { $0.status == .completed }, by: \.content)
        let ownRecords = own.flatMap { groups[$0] } ?? []
        let ownRules = rules(ownRecords)
        for (content, records) in groups {
            let isOwn = content != nil && content == own
            self.rules[content] = isOwn ? ownRules : rules(records, agedBy: content == nil ? nil : ownRules)
        }
        joined = rules((groups[nil] ?? []) + ownRecords)
        all = rules(records)
        hasSeveral = groups.count > 1
        self.own = own
        self.policy = policy
    }

    func decide(_ record: BackupRecord) -> RetentionPlan.Decision {
        guard record.status == .completed else {
            return all?.decide(record) ?? RetentionPlan.Decision(record: record, keep: true, reason: noRule(record))
        }
        var decision = decision(on: record)
        decision.reason = prefix(record.content) + decision.reason
        return decision
    }

    private func decision(on record: BackupRecord) -> RetentionPlan.Decision {
        guard let rules = rules[record.content] else {
            return RetentionPlan.Decision(record: record, keep: true, reason: noRule(record))
        }
        guard record.content == nil, rules.protection(of: record) == nil, let joined else {
            return rules.decide(record)
        }
        return joined.decide(record)
    }

    private func noRule(_ record: BackupRecord) -> String {
        if record.status == .running { return "running" }
        return policy.isUnlimited ? "the job's retention is not limited" : "no good backup to count its age from"
    }

    /// Tells among which backups a reason counts, where there are several kinds.
    private func prefix(_ content: BackupContent?) -> String {
        guard hasSeveral, own == nil || content != own else { return "" }
        guard let content else { return "contents not known: " }
        guard let own else { return "among those of its database and tables: " }
        return content.identity == own.identity ? "other tables than the job's: " : "another database: "
    }
}
