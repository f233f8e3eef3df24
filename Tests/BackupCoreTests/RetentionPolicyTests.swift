import BackupCore
import Foundation
import TestSupport
import Testing

private let hour: Int64 = 3_600_000_000
private let day = 24 * hour
/// 2023-01-02 00:00:00, a Monday.
private let beginning = Timestamp("2023-01-02T00:00:00Z").map(\.microseconds) ?? 0

private func record(
    _ id: Int64, at microseconds: Int64, _ status: BackupRecord.Status = .completed, bytes: Int64 = 1_000
) -> BackupRecord {
    let start = Timestamp(microseconds: microseconds)
    return BackupRecord(
        id: id, jobID: 1, filename: "backup_1_\(start.fileName).json.gz", filePath: "/b/\(id)", fileSize: bytes,
        status: status, startedAt: start, createdAt: start, updatedAt: start,
        localState: status == .completed ? .present : .none)
}

private func policy(_ change: (inout RetentionPolicy) -> Void) -> RetentionPolicy {
    var policy = RetentionPolicy(days: 0)
    change(&policy)
    return policy
}

private func kept(_ records: [BackupRecord], _ policy: RetentionPolicy) -> [BackupRecord] {
    RetentionPlan.plan(records: records, policy: policy).filter(\.keep).map(\.record)
}

/// A policy by the words of its name, such as `days-30_daily-7`.
struct NamedPolicy: Sendable, CustomTestStringConvertible {
    var name: String
    var testDescription: String { name }

    var policy: RetentionPolicy {
        get throws {
            var policy = RetentionPolicy(days: 0)
            for word in name.split(separator: "_") where word != "none" {
                let parts = word.split(separator: "-")
                let count = try #require(parts.count == 2 ? Int(parts[1]) : nil)
                switch parts[0] {
                case "days": policy.days = count
                case "last": policy.last = count
                case "hourly": policy.hourly = count
                case "daily": policy.daily = count
                case "weekly": policy.weekly = count
                case "monthly": policy.monthly = count
                case "yearly": policy.yearly = count
                case "kilobytes": policy.maximumBytes = Int64(count) * 1_000
                case "minimum": policy.minimum = count
                default: Issue.record("no rule \(parts[0])")
                }
            }
            return policy
        }
    }

    static let all = [
        "none", "days-1", "days-7", "days-30", "days-400", "days-7_minimum-20", "days-36500", "last-1", "last-2",
        "last-10", "last-1000", "last-3_minimum-5", "hourly-1", "hourly-24", "hourly-100", "daily-1", "daily-7",
        "daily-31", "daily-1000", "weekly-1", "weekly-5", "weekly-60", "monthly-1", "monthly-6", "monthly-14",
        "yearly-1",
        "yearly-3", "days-7_daily-14", "days-2_weekly-8", "last-3_monthly-12", "hourly-24_daily-7_weekly-4_monthly-12",
        "hourly-24_daily-7_weekly-4_monthly-12_yearly-3", "days-30_hourly-48_daily-60_weekly-26_monthly-12_yearly-10",
        "kilobytes-1", "kilobytes-50", "kilobytes-200", "kilobytes-1000", "days-30_kilobytes-20",
        "daily-31_kilobytes-12_minimum-14", "monthly-12_kilobytes-30_minimum-2",
    ].map(NamedPolicy.init)
}

@Suite("Retention policies")
struct RetentionPolicyTests {
    /// Fourteen months: one backup a night, one an hour in the last three days; every tenth night failed, one of them was
    /// lost, some were verified, and they grow.
    private static let history: [BackupRecord] = {
        var records: [BackupRecord] = []
        func add(_ time: Int64, isFailed: Bool) {
            let id = Int64(records.count + 1)
            var new = record(id, at: time, isFailed ? .failed : .completed, bytes: isFailed ? 0 : 1_000 + id)
            if id == 100 { new.localState = .missing }
            if [50, 200, 401].contains(id), !isFailed { new.verifiedAt = new.startedAt }
            records.append(new)
        }
        for night in Int64(0)..<425 {
            add(beginning + night * day + 2 * hour + 30 * hour / 60, isFailed: night % 10 == 9)
        }
        for number in Int64(0)..<72 { add(beginning + 425 * day + number * hour, isFailed: number == 40) }
        return records
    }()

    @Test("Forty policies over one history, each record with its reason", arguments: NamedPolicy.all)
    func golden(_ named: NamedPolicy) throws {
        #expect(NamedPolicy.all.count == 40)
        let plan = RetentionPlan.plan(records: RetentionPolicyTests.history, policy: try named.policy)
        #expect(plan.map(\.record) == RetentionPolicyTests.history)
        try RetentionGolden.expect(plan, "\(named.name).txt")
    }

    @Test("Three years of hourly backups, pruned after each, leave exactly what the rules name")
    func threeYears() throws {
        let rules = policy {
            $0.hourly = 24
            $0.daily = 7
            $0.weekly = 4
            $0.monthly = 12
            $0.yearly = 3
        }
        var records: [BackupRecord] = []
        let hours = Int64(3 * 365 * 24)
        for number in 0..<hours {
            records.append(record(number + 1, at: beginning + number * hour))
            records = kept(records, rules)
        }
        // 2025-12-31 23:00 is the last.
        func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }
        var expected: Set<Timestamp> = []
        let last = try time("2025-12-31T23:00:00Z")
        for number in Int64(0)..<24 { expected.insert(Timestamp(microseconds: last.microseconds - number * hour)) }
        for number in Int64(0)..<7 { expected.insert(Timestamp(microseconds: last.microseconds - number * day)) }
        for date in ["2025-12-28", "2025-12-21", "2025-12-14"] { expected.insert(try time(date + "T23:00:00Z")) }
        for date in [
            "01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30",
        ] { expected.insert(try time("2025-\(date)T23:00:00Z")) }
        for year in [2023, 2024] { expected.insert(try time("\(year)-12-31T23:00:00Z")) }
        #expect(Set(records.map(\.startedAt)) == expected)
    }

    @Test("Days are those of the job's time zone")
    func zone() {
        // One at 22:30 and one at 23:30 each night by UTC: in Berlin's winter the second is of the next day.
        let records = (0..<6 as Range<Int64>).map { number in
            let evening = beginning + number / 2 * day + 22 * hour + hour / 2
            return record(number + 1, at: evening + number % 2 * hour)
        }
        let daily = policy { $0.daily = 9 }
        #expect(kept(records, daily).map(\.id) == [2, 4, 6])
        let plan = RetentionPlan.plan(records: records, policy: daily, offset: { _ in 3_600 })
        #expect(plan.filter(\.keep).map(\.record.id) == [1, 3, 5, 6])
        #expect(plan[4].reason == "daily 2 of 9 (2023-01-04)")
    }

    @Test("A week goes from Monday to Sunday, also before 1970")
    func weeks() throws {
        for (date, monday) in [
            ("2026-11-23", "2026-11-23"), ("2026-11-29", "2026-11-23"), ("1970-01-01", "1969-12-29"),
            ("1969-12-28", "1969-12-22"), ("2024-03-03", "2024-02-26"),
        ] {
            let moment = try #require(Timestamp(date + "T23:59:59Z"))
            #expect(RetentionSpan.week.name(of: moment) == "week of " + monday)
        }
        for extreme in [Int64.min, Int64.max] {
            for span in RetentionSpan.allCases { #expect(!span.name(of: Timestamp(microseconds: extreme)).isEmpty) }
        }
    }

    @Test("A policy is read back as it was written, and what is left out is not asked for")
    func coding() throws {
        let whole = policy {
            $0.days = 30
            $0.last = 1
            $0.hourly = 2
            $0.daily = 3
            $0.weekly = 4
            $0.monthly = 5
            $0.yearly = 6
            $0.maximumBytes = 7
            $0.minimum = 8
        }
        let data = try JSONEncoder().encode(whole)
        #expect(try JSONDecoder().decode(RetentionPolicy.self, from: data) == whole)
        let part = try JSONDecoder().decode(RetentionPolicy.self, from: Data(#"{"daily":7}"#.utf8))
        #expect(part == policy { $0.daily = 7 })
    }

    @Test("Whatever the history and the clock, what must stay stays", arguments: 0..<500 as Range<UInt64>)
    func whatever(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var time = beginning
        let records = (1...Int.random(in: 1...120, using: &generator)).map { id in
            time += Int64.random(in: 0...3 * day, using: &generator)
            if Int.random(in: 0..<20, using: &generator) == 0 {
                time += Int64.random(in: -3000...3000, using: &generator) * day
            }
            let status = BackupRecord.Status.allCases.randomElement(using: &generator) ?? .failed
            var new = record(Int64(id), at: time, status, bytes: Int64.random(in: 0...5_000, using: &generator))
            if Int.random(in: 0..<6, using: &generator) == 0 { new.localState = .missing }
            if Bool.random(using: &generator) { new.verifiedAt = new.startedAt }
            return new
        }
        let rules = Self.randomPolicy(&generator)
        let plan = RetentionPlan.plan(records: records.shuffled(using: &generator), policy: rules)
        let stays = Set(plan.filter(\.keep).map(\.record.id))
        let completed = records.filter { $0.status == .completed }
        let good = completed.filter(\.isReadable)
        for candidates in [completed, good, good.filter { $0.verifiedAt != nil }] {
            if let newest = candidates.last { #expect(stays.contains(newest.id)) }
        }
        #expect(good.filter { stays.contains($0.id) }.count >= min(good.count, rules.minimum))
        for record in records where record.status == .running { #expect(stays.contains(record.id)) }
        if good.isEmpty { #expect(stays.count == records.count) }
        #expect(plan.allSatisfy { !$0.reason.isEmpty })
    }

    @Test(
        "With a right clock: a second run deletes nothing, a wider policy no more", arguments: 0..<300 as Range<UInt64>)
    func steady(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var time = beginning
        let records = (1...Int.random(in: 1...200, using: &generator)).map { id in
            time += Int64.random(in: 1...20, using: &generator) * hour
            return record(Int64(id), at: time, bytes: Int64.random(in: 0...5_000, using: &generator))
        }
        let rules = Self.randomPolicy(&generator)
        let stays = kept(records, rules)
        #expect(kept(stays, rules) == stays)
        var wider = rules
        wider.maximumBytes = 0
        if wider.days > 0 { wider.days += 3 }
        wider.last += 1
        wider.daily += 1
        wider.yearly += 1
        if !rules.isUnlimited, !rules.isOnlyOfSize {
            #expect(Set(stays.map(\.id)).isSubset(of: kept(records, wider).map(\.id)))
        }
        let bytes = stays.reduce(0) { $0 + $1.fileSize }
        if rules.maximumBytes > 0, stays.count > rules.minimum { #expect(bytes <= rules.maximumBytes) }
    }

    static func randomPolicy(_ generator: inout SeededGenerator) -> RetentionPolicy {
        func maybe(_ range: ClosedRange<Int>) -> Int {
            Bool.random(using: &generator) ? 0 : Int.random(in: range, using: &generator)
        }
        var policy = RetentionPolicy(days: maybe(1...60))
        policy.last = maybe(1...10)
        policy.hourly = maybe(1...30)
        policy.daily = maybe(1...30)
        policy.weekly = maybe(1...10)
        policy.monthly = maybe(1...10)
        policy.yearly = maybe(1...3)
        policy.maximumBytes = Int64(maybe(1...100_000))
        policy.minimum = Int.random(in: 1...5, using: &generator)
        return policy
    }
}
