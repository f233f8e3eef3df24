import BackupCore
import Foundation
import TestSupport
import Testing

private let hour: Int64 = 3_600_000_000
private let day = 24 * hour
/// 2023-01-02 00:00:00, a Monday.
private let beginning = Timestamp("2023-01-02T00:00:00Z").map(\.microseconds) ?? 0

private let own = BackupContent(identity: "app", scope: BackupContent.whole)
private let part = BackupContent(identity: "app", scope: "organizations")
private let other = BackupContent(identity: "tracker", scope: BackupContent.whole)

private func record(
    _ id: Int64, at microseconds: Int64, _ content: BackupContent?, _ status: BackupRecord.Status = .completed,
    bytes: Int64 = 1_000
) -> BackupRecord {
    let start = Timestamp(microseconds: microseconds)
    var record = BackupRecord(
        id: id, jobID: 1, filename: "backup_1_\(start.fileName).json.gz", filePath: "/b/\(id)", fileSize: bytes,
        status: status, startedAt: start, createdAt: start, updatedAt: start,
        localState: status == .completed ? .present : .none)
    record.content = content
    return record
}

/// Records of some days, one after the other.
private func records(_ days: [(Int64, BackupContent?)]) -> [BackupRecord] {
    days.enumerated().map { record(Int64($0 + 1), at: beginning + $1.0 * day, $1.1) }
}

private func deleted(
    _ records: [BackupRecord], days: Int = 30, last: Int = 0, own: BackupContent? = own
) -> [Int64] {
    var policy = RetentionPolicy(days: days)
    policy.last = last
    return RetentionPlan.plan(records: records, policy: policy, own: own).filter { !$0.keep }.map(\.record.id)
}

@Suite("Retention of backups that hold different things")
struct RetentionGroupTests {
    @Test("A backup of some tables, or of another database, is no reason to delete the last whole one")
    func lastWhole() {
        #expect(deleted(records([(0, own), (1, part)]), days: 0, last: 1) == [])
        #expect(deleted(records([(0, other), (40, own), (41, own)])) == [])
        #expect(deleted(records([(0, other), (40, own), (41, own)]), own: nil) == [])
        // A thousand of them neither.
        #expect(deleted(records([(0, own)] + (1...100).map { ($0, part) }), days: 7) == Array(2...93))
    }

    @Test("What a group alone would keep of the job's own stays, whatever comes beside it")
    func alone() {
        let mixed = records((0..<40).flatMap { [($0, own), ($0, part), ($0, other)] })
        #expect(deleted(mixed, days: 0, last: 3).filter { $0 % 3 == 1 } == (0..<37).map { $0 * 3 + 1 })
    }

    @Test("A group without new backups ages by the job's own down to the newest, and never by another's")
    func abandoned() {
        let old = (0..<20).map { (Int64($0), BackupContent?.some(other)) }
        #expect(deleted(records(old + [(21, own)])) == [])
        #expect(deleted(records(old + [(45, own), (46, own)])) == Array(1...16))
        #expect(deleted(records(old + [(99, own), (100, own)])) == Array(1...19))
        #expect(deleted(records(old + [(99, part), (100, part)])) == [])
        #expect(deleted(records(old + [(99, own), (100, own)]), own: nil) == [])
        // The rules that count, count within the group.
        #expect(deleted(records(old + [(99, own), (100, own)]), last: 3) == Array(1...17))
    }

    @Test("What is not known counts behind the job's own, and its newest stays")
    func unknown() {
        let old = (0..<20).map { (Int64($0), BackupContent?.none) }
        #expect(deleted(records(old), days: 0, last: 5) == Array(1...15))
        #expect(deleted(records(old + [(20, own), (21, own)]), days: 0, last: 5) == Array(1...17))
        #expect(deleted(records(old + (20..<30).map { ($0, own) }), days: 0, last: 5) == Array(1...19) + Array(21...25))
        // It takes no place from what is known, though it is newer.
        #expect(deleted(records([(0, own), (1, own), (2, nil), (3, nil)]), days: 0, last: 2) == [])
        #expect(deleted(records([(0, nil), (99, other), (100, other)])) == [])
    }

    @Test("Reasons say among which backups they count")
    func reasons() {
        let mixed = records([(0, other), (1, part), (2, nil), (3, own), (40, own), (41, own), (42, nil)])
        var policy = RetentionPolicy(days: 30)
        #expect(
            RetentionPlan.plan(records: mixed, policy: policy, own: own).map(\.reason) == [
                "another database: newest completed backup", "other tables than the job's: newest completed backup",
                "contents not known: 40 days older than backup 7", "38 days older than backup 6",
                "within 30 days of backup 6", "newest completed backup",
                "contents not known: newest completed backup",
            ])
        policy.days = 0
        #expect(
            RetentionPlan.plan(records: mixed, policy: policy, own: nil).map(\.reason).first
                == "among those of its database and tables: the job's retention is not limited")
    }

    /// A year of nights of the job's own, the first half of which was made before it was written down what a backup
    /// holds; some tables every third day at noon until autumn; another database each month; failures of all.
    private static let history: [BackupRecord] = {
        var records: [BackupRecord] = []
        func add(_ time: Int64, _ content: BackupContent?) {
            let id = Int64(records.count + 1)
            let isFailed = id % 17 == 0
            var new = record(
                id, at: beginning + time, content, isFailed ? .failed : .completed, bytes: isFailed ? 0 : 1_000 + id)
            if [60, 61, 150, 300].contains(id), !isFailed { new.verifiedAt = new.startedAt }
            if id == 200 { new.localState = .missing }
            records.append(new)
        }
        for night in Int64(0)..<365 {
            add(night * day + 2 * hour, night < 180 ? nil : own)
            if night % 3 == 0, night < 270 { add(night * day + 12 * hour, night < 180 ? nil : part) }
            if night % 30 == 0 { add(night * day + 20 * hour, night < 180 ? nil : other) }
        }
        return records
    }()

    static let policies = [
        "none", "days-1", "days-30", "days-30_kilobytes-20", "last-1", "last-3_monthly-12", "daily-7",
        "hourly-24_daily-7_weekly-4_monthly-12", "days-7_minimum-20", "kilobytes-50",
    ].map(NamedPolicy.init)

    @Test("Ten policies over one history of several groups, each record with its reason", arguments: policies)
    func golden(_ named: NamedPolicy) throws {
        let plan = RetentionPlan.plan(records: Self.history, policy: try named.policy, own: own)
        #expect(plan.map(\.record) == Self.history)
        try RetentionGolden.expect(plan, "Groups/\(named.name).txt")
    }

    @Test("Whatever the history, the groups and the clock, what must stay stays", arguments: 0..<500 as Range<UInt64>)
    func whatever(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var time = beginning
        let contents = [own, part, other, nil]
        let records = (1...Int.random(in: 1...150, using: &generator)).map { id in
            time += Int64.random(in: 0...3 * day, using: &generator)
            if generator.chance(1, in: 20) { time += Int64.random(in: -3000...3000, using: &generator) * day }
            let status = BackupRecord.Status.allCases.randomElement(using: &generator) ?? .failed
            var new = record(
                Int64(id), at: time, contents.randomElement(using: &generator) ?? nil,
                generator.chance(1, in: 2) ? .completed : status, bytes: Int64.random(in: 0...5_000, using: &generator))
            if generator.chance(1, in: 6) { new.localState = .missing }
            if generator.chance(1, in: 2) { new.verifiedAt = new.startedAt }
            return new
        }
        let rules = RetentionPolicyTests.randomPolicy(&generator)
        let mine = generator.chance(1, in: 4) ? nil : own
        let plan = RetentionPlan.plan(records: records.shuffled(using: &generator), policy: rules, own: mine)
        let stays = Set(plan.filter(\.keep).map(\.record.id))
        func kept(_ records: [BackupRecord]) -> Set<Int64> {
            Set(RetentionPlan.plan(records: records, policy: rules, own: mine).filter(\.keep).map(\.record.id))
        }
        for content in contents {
            let completed = records.filter { $0.status == .completed && $0.content == content }
            let good = completed.filter(\.isReadable)
            for candidates in [completed, good, good.filter { $0.verifiedAt != nil }] {
                let byTime = candidates.max { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
                for newest in [candidates.last, byTime].compactMap({ $0 }) { #expect(stays.contains(newest.id)) }
            }
            #expect(good.filter { stays.contains($0.id) }.count >= min(good.count, rules.minimum))
            if good.isEmpty { #expect(completed.allSatisfy { stays.contains($0.id) }) }
            // The job's own are planned as if they were alone; what else there is bears on no group but by them.
            let ids = Set(completed.map(\.id))
            let seen = content == own ? completed : records.filter { [own, content].contains($0.content) }
            #expect(stays.intersection(ids) == kept(seen).intersection(ids))
            if mine == nil { #expect(stays.intersection(ids) == kept(completed).intersection(ids)) }
        }
        for record in records where record.status == .running { #expect(stays.contains(record.id)) }
        #expect(plan.allSatisfy { !$0.reason.isEmpty })
    }
}
