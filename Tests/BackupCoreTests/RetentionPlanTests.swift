import BackupCore
import TestSupport
import Testing

private let day: Int64 = 86_400_000_000
private let beginning: Int64 = 1_700_000_000_000_000

private func record(
    _ id: Int64, day number: Double, _ status: BackupRecord.Status = .completed, verified: Bool = false,
    local: BackupRecord.CopyState? = nil, s3Key: String? = nil
) -> BackupRecord {
    let start = Timestamp(microseconds: beginning + Int64(number * Double(day)))
    return BackupRecord(
        id: id, jobID: 1, filename: "backup_1_\(start.fileName).json.gz", filePath: "/b/\(id)", status: status,
        startedAt: start, s3Key: s3Key, createdAt: start, updatedAt: start, verifiedAt: verified ? start : nil,
        localState: local ?? (status == .completed ? .present : .none))
}

private func deleted(_ records: [BackupRecord], days: Int = 30) -> [Int64] {
    RetentionPlan.plan(records: records, policy: RetentionPolicy(days: days)).filter { !$0.keep }.map(\.record.id)
        .sorted()
}

@Suite struct RetentionPlanTests {
    @Test func deletesWhatIsOlderThanTheWindow() {
        let records = (0...40).map { record(Int64($0 + 1), day: Double($0)) }
        // The newest is of day 40: those of days 0 to 9 are more than 30 days older, that of day 10 is not.
        #expect(deleted(records) == Array(1...10))
        #expect(deleted(records.reversed()) == Array(1...10))
        #expect(deleted(records, days: 1) == Array(1...39))
        #expect(deleted(records, days: 1000) == [])
    }

    @Test func keepsTheOrderAndSaysWhy() {
        let records = (0...40).map { record(Int64($0 + 1), day: Double($0)) }
        let plan = RetentionPlan.plan(records: records, policy: RetentionPolicy(days: 30))
        #expect(plan.map(\.record) == records)
        #expect(plan.first?.reason == "40 days older than backup 41")
        #expect(plan.last?.reason == "newest completed backup")
        #expect(plan[20].reason == "within 30 days of backup 41")
    }

    @Test func nothingExpiresWhenBackupsStopOrFail() {
        var records = (0...20).map { record(Int64($0 + 1), day: Double($0)) }
        records += (21...400).map { record(Int64($0 + 1), day: Double($0), .failed) }
        #expect(deleted(records) == [])
    }

    @Test func failedRunsExpireWithTheWindow() {
        let records = (0...60).map { number in
            let status: BackupRecord.Status = number % 2 == 0 ? .completed : .failed
            return record(Int64(number + 1), day: Double(number), status)
        }
        #expect(deleted(records) == Array(1...30))
        #expect(deleted([record(1, day: 0, .failed), record(2, day: 1, .running)]) == [])
    }

    @Test func neverDeletesWhatRuns() {
        let records = [record(1, day: 0, .running)] + (2...60).map { record(Int64($0), day: Double($0)) }
        #expect(!deleted(records).contains(1))
    }

    @Test func neverDeletesTheNewestVerified() {
        let records = (0...60).map { record(Int64($0 + 1), day: Double($0), verified: $0 <= 3) }
        #expect(deleted(records) == [1, 2, 3] + Array(5...30))
    }

    @Test func whatIsNotThereNeitherProtectsNorCounts() {
        var records = (0...10).map { record(Int64($0 + 1), day: Double($0)) }
        records += (11...60).map { record(Int64($0 + 1), day: Double($0), verified: true, local: .damaged) }
        // The newest good backup is that of day 10; fifty damaged ones must not make it expire.
        #expect(deleted(records) == [])
        records.append(record(62, day: 61, local: .missing, s3Key: "k"))
        #expect(!deleted(records).contains(11))
        records.append(record(63, day: 62, local: .missing, s3Key: "k"))
        #expect(deleted(records) == Array(1...32))
    }

    @Test func whatIsLockedStaysUntilTheLockEnds() {
        var records = (0...40).map { record(Int64($0 + 1), day: Double($0)) }
        let end = Timestamp(microseconds: beginning + 50 * day)
        records[2].remote.lockedUntil = end
        records[30].remote.lockedUntil = end
        #expect(deleted(records) == [1, 2] + Array(4...10))
        let early = RetentionPlan.plan(records: records, policy: RetentionPolicy(days: 30), now: end)
        #expect(early.filter { !$0.keep }.map(\.record.id) == Array(1...10))
        let late = RetentionPlan.plan(
            records: records, policy: RetentionPolicy(days: 30), now: Timestamp(microseconds: end.microseconds - 1))
        #expect(late[2].keep && late[2].reason == "kept until \(end.sql.prefix(19)) UTC, object lock")
        // A lock is no reason for what stays anyway.
        #expect(late[30].reason == "within 30 days of backup 41")
    }

    @Test func aCopyInAnyStoreMakesABackupGood() {
        var records = (0...10).map { record(Int64($0 + 1), day: Double($0)) }
        records.append(record(12, day: 41, local: .missing))
        #expect(deleted(records) == [])
        records[11].remote.presentCopies = 1
        records.append(record(13, day: 42))
        #expect(deleted(records) == Array(1...11))
    }

    @Test func aDeletionThatWasBegunGoesOn() {
        var records = (0...3).map { record(Int64($0 + 1), day: Double($0)) }
        records[3].remote.isBeingDeleted = true
        let plan = RetentionPlan.plan(records: records, policy: RetentionPolicy(days: 30))
        #expect(plan.map(\.keep) == [true, true, true, false])
        #expect(plan[3].reason == "its deletion was begun" && plan[2].reason == "newest completed backup")
        // It neither protects nor counts.
        records = (0...3).map { record(Int64($0 + 1), day: Double($0 * 20)) }
        #expect(deleted(records) == [1, 2])
        records[3].remote.isBeingDeleted = true
        #expect(deleted(records) == [1, 4])
    }

    @Test func oneBackupFarAheadExpiresNothingUntilASecondConfirms() {
        var records = (0...9).map { record(Int64($0 + 1), day: Double($0)) }
        records.append(record(11, day: 4000))
        #expect(deleted(records) == [])
        // The clock was wrong, and right again: the one from the future stays and harms no other.
        #expect(deleted(records + [record(12, day: 11)]) == [])
        // Time has passed indeed.
        #expect(deleted(records + [record(12, day: 4001)]) == Array(1...10))
    }

    @Test func windowsThatAreNoneDeleteNothing() {
        let records = (0...400).map { record(Int64($0 + 1), day: Double($0)) }
        for days in [0, -1, .min, .max] { #expect(deleted(records, days: days) == []) }
        #expect(RetentionPlan.plan(records: [], policy: RetentionPolicy(days: 30)).isEmpty)
        var absurd = records
        absurd[5].startedAt = Timestamp(microseconds: .min)
        absurd[400].startedAt = Timestamp(microseconds: .max)
        #expect(deleted(absurd, days: 1000) == [])
    }

    /// One wrong clock, anywhere but at the two places that the documentation names.
    @Test(arguments: 0..<300) func oneWrongClockDeletesNothingMore(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 3...80, using: &generator)
        var number = 0.0
        let truth = (1...count).map { id in
            number += Double.random(in: 0.01...3, using: &generator)
            return record(Int64(id), day: number)
        }
        // Longer than the longest pause between two backups.
        let window = Int.random(in: 4...40, using: &generator)
        let expected = Set(deleted(truth, days: window))
        for index in truth.indices {
            for _ in 0..<4 {
                var jump = Int64.random(in: -5000 * day...5000 * day, using: &generator)
                if index == 0 { jump = abs(jump) }
                if index == count - 1, jump > 0 { jump += Int64(window) * day }
                var jumped = truth
                jumped[index].startedAt.microseconds += jump
                let found = Set(deleted(jumped.shuffled(using: &generator), days: window))
                #expect(found.isSubset(of: expected), "record \(index + 1) moved by \(Double(jump) / Double(day)) days")
            }
        }
    }

    @Test(arguments: 0..<500) func whateverTheClockDidTheNewestStay(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var number = 0.0
        let records = (1...Int.random(in: 1...60, using: &generator)).map { id in
            number += Double.random(in: 0...5, using: &generator)
            if Int.random(in: 0..<10, using: &generator) == 0 {
                number += Double.random(in: -5000...5000, using: &generator)
            }
            let status = BackupRecord.Status.allCases.randomElement(using: &generator) ?? .failed
            return record(
                Int64(id), day: number, status, verified: Bool.random(using: &generator),
                local: status == .completed ? [.present, .missing, .damaged].randomElement(using: &generator) : nil,
                s3Key: Int.random(in: 0..<4, using: &generator) == 0 ? "k" : nil)
        }
        let plan = RetentionPlan.plan(
            records: records, policy: RetentionPolicy(days: Int.random(in: 1...60, using: &generator)))
        #expect(plan.map(\.record) == records)
        let kept = Set(plan.filter(\.keep).map(\.record.id))
        let completed = records.filter { $0.status == .completed }
        let good = completed.filter { $0.localState == .present || $0.s3Key != nil }
        for candidates in [completed, good, good.filter { $0.verifiedAt != nil }] {
            let byTime = candidates.max { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
            for newest in [candidates.last, byTime].compactMap({ $0 }) { #expect(kept.contains(newest.id)) }
        }
        for record in records where record.status == .running { #expect(kept.contains(record.id)) }
    }
}
