/// A policy applied to one history: what keeps each backup.
struct RetentionRules {
    private let policy: RetentionPolicy
    private let times: RetentionTimes
    private let window: Int64
    /// The reasons of those that stay whatever the policy says, by id.
    private var protected: [Int64: String] = [:]
    /// The reasons of those that a rule keeps, by id.
    private var kept: [Int64: String] = [:]
    /// The reasons of those that the size takes away again, by id.
    private var surplus: [Int64: String] = [:]

    /// Nil where nothing can expire.
    ///
    /// - Parameter others: the rules of a history by which this one ages too.
    init?(
        _ records: [BackupRecord], _ policy: RetentionPolicy, _ now: Timestamp, agedBy others: RetentionRules? = nil,
        keepsNewestCopy: Bool, offset: (Timestamp) -> Int
    ) {
        guard !policy.isUnlimited else { return nil }
        let completed = records.filter { $0.status == .completed }.sorted { $0.id < $1.id }
        let good = completed.filter(\.isReadable)
        window = RetentionRules.microseconds(policy.days < 1 ? RetentionRules.daysOfFailures : policy.days)
        guard var times = RetentionTimes(completed: completed, good: good, window: window) else { return nil }
        if let others { times.advance(to: others.times) }
        self.policy = policy
        self.times = times
        protect(completed, good, keepsNewestCopy: keepsNewestCopy)
        keep(good, offset)
        capSize(good, now)
    }

    func decide(_ record: BackupRecord) -> RetentionPlan.Decision {
        func keep(_ reason: String) -> RetentionPlan.Decision {
            RetentionPlan.Decision(record: record, keep: true, reason: reason)
        }
        func delete(_ reason: String) -> RetentionPlan.Decision {
            RetentionPlan.Decision(record: record, keep: false, reason: reason)
        }
        if record.status == .running { return keep("running") }
        if let reason = protected[record.id] { return keep(reason) }
        if let reason = surplus[record.id] { return delete(reason) }
        if let reason = kept[record.id] { return keep(reason) }
        let age = times.age(of: record)
        let isOfUse = record.status == .completed && record.isReadable
        if !isOfUse, age <= window { return keep(windowReason) }
        let kind = record.status == .failed ? "failed run, " : ""
        let reason = "\(kind)\(max(age, 0) / 86_400_000_000) days older than backup \(times.referenceID)"
        return delete(policy.isOnlyOfDays || !isOfUse ? reason : reason + ", and no rule keeps it")
    }

    /// Why a backup stays whatever the policy says; nil where it need not.
    func protection(of record: BackupRecord) -> String? { protected[record.id] }

    private var windowReason: String {
        "within \(policy.days < 1 ? RetentionRules.daysOfFailures : policy.days) days of backup \(times.referenceID)"
    }

    /// How long a failed run is told of where no window says it, and how far a clock must jump to be doubted.
    private static let daysOfFailures = 30

    private func isKept(_ record: BackupRecord) -> Bool { protected[record.id] != nil || kept[record.id] != nil }

    private mutating func protect(_ completed: [BackupRecord], _ good: [BackupRecord], keepsNewestCopy: Bool) {
        func newest(_ records: [BackupRecord]) -> [BackupRecord] {
            [records.last, records.max { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }].compactMap { $0 }
        }
        for record in good.suffix(max(policy.minimum, 1)) {
            protected[record.id] = "one of the newest \(policy.minimum), which always stay"
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

    private mutating func keep(_ good: [BackupRecord], _ offset: (Timestamp) -> Int) {
        if policy.isOnlyOfSize {
            for record in good { kept[record.id] = "within the size" }
            return
        }
        // What a later rule says replaces what an earlier one said: the longest span is the best reason.
        for record in good where policy.days >= 1 && times.age(of: record) <= window { kept[record.id] = windowReason }
        for record in good.suffix(max(policy.last, 0)) { kept[record.id] = "one of the last \(policy.last)" }
        for (span, count) in policy.spans {
            var seen: Set<String> = []
            for record in good.reversed() {
                let start = times.start(of: record)
                let local = Timestamp(microseconds: start.microseconds &+ Int64(offset(start)) &* 1_000_000)
                let name = span.name(of: local)
                guard seen.insert(name).inserted else { continue }
                guard seen.count <= count else { break }
                kept[record.id] = "\(span.rule) \(seen.count) of \(count) (\(name))"
            }
        }
    }

    private mutating func capSize(_ good: [BackupRecord], _ now: Timestamp) {
        guard policy.maximumBytes > 0 else { return }
        let staying = good.filter { isKept($0) }
        var total = staying.reduce(Int64(0)) { $0.addingReportingOverflow($1.fileSize).partialValue }
        for record in staying {
            guard total > policy.maximumBytes else { return }
            if protected[record.id] != nil { continue }
            if let end = record.remote.lockedUntil, end > now { continue }
            surplus[record.id] = "all that stay have more than \(policy.maximumBytes) bytes, and it is the oldest"
            total -= record.fileSize
        }
    }

    private static func microseconds(_ days: Int) -> Int64 {
        let (product, overflow) = Int64(days).multipliedReportingOverflow(by: 86_400_000_000)
        return overflow ? .max : product
    }
}
