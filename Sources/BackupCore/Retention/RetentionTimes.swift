/// When a job's backups count as made.
///
/// The order in which records were made (their ids) is trusted more than the times they carry, since a clock may jump:
///
/// - The **reference** is the start of the good backup that was made last. Where it lies more than the whole window
///   after the one made before it, that one's start is the reference instead: a single backup does not prove that time
///   has passed, a second one does.
/// - A completed backup that carries a time after the reference, or a time before that of one made earlier, has a
///   wrong time; it counts as being as young as the next one made.
///
/// So one backup under a wrong clock expires nothing that would otherwise be kept, wherever in the history it stands
/// (given that backups come more often than the window), with two exceptions that nothing can tell from the truth: the
/// very first backup dated too early, and the last one dated too late by less than the window. Several backups in a row
/// under a clock that is ahead do move the reference.
struct RetentionTimes {
    private(set) var reference: Timestamp
    private(set) var referenceID: Int64
    private var effectiveStarts: [Int64: Timestamp] = [:]

    /// - Parameters:
    ///   - completed: by ascending id.
    ///   - good: those of them of which a copy is there; nil comes of none.
    ///   - window: in microseconds.
    init?(completed: [BackupRecord], good: [BackupRecord], window: Int64) {
        guard let last = good.last else { return nil }
        var trusted = last
        if let before = good.dropLast().last, RetentionTimes.span(from: before.startedAt, to: last.startedAt) > window {
            trusted = before
        }
        reference = trusted.startedAt
        referenceID = trusted.id
        setEffectiveStarts(of: completed)
    }

    /// Counts ages from another history's reference, where that is later.
    mutating func advance(to other: RetentionTimes) {
        guard other.reference > reference else { return }
        reference = other.reference
        referenceID = other.referenceID
    }

    /// The time that counts for a record.
    func start(of record: BackupRecord) -> Timestamp { effectiveStarts[record.id] ?? record.startedAt }

    /// By how much a record is older than the reference, in microseconds.
    func age(of record: BackupRecord) -> Int64 { RetentionTimes.span(from: start(of: record), to: reference) }

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
