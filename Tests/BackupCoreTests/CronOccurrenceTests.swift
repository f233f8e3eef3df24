import BackupCore
import Foundation
import Testing

/// When schedules are due, compared with a count of all minutes.
@Suite("Occurrences of a schedule")
struct CronOccurrenceTests {
    static let schedules = [
        "@daily", "@hourly", "@weekly", "@monthly", "30 2 * * *", "0,30 2 * * *", "*/20 * * * *", "15 */2 * * *",
        "59 1 * * *", "0 3 * * *", "0 0 * * *", "30 23 * * *", "45 1-3 * * sun", "5 4 1,15 * mon", "0 12 31 * *",
    ]

    /// A zone, a day and how many days from it on.
    struct Span: Sendable, CustomTestStringConvertible {
        var zone: String
        var from: String
        var days: Int
        var testDescription: String { "\(zone) from \(from)" }
    }

    static let spans = [
        Span(zone: "Europe/Berlin", from: "2026-01-01", days: 365),
        Span(zone: "America/New_York", from: "2026-01-01", days: 365),
        // Half an hour; at midnight, both ways; a day that was left out; never.
        Span(zone: "Australia/Lord_Howe", from: "2026-03-28", days: 16),
        Span(zone: "Australia/Lord_Howe", from: "2026-09-28", days: 16),
        Span(zone: "America/Sao_Paulo", from: "2018-10-28", days: 16),
        Span(zone: "America/Sao_Paulo", from: "2018-02-10", days: 16),
        Span(zone: "Pacific/Apia", from: "2011-12-25", days: 14),
        Span(zone: "Asia/Kathmandu", from: "2026-03-28", days: 8),
    ]

    @Test("Each due run comes exactly once, through every change of the clocks", arguments: spans)
    func everyRun(_ span: Span) throws {
        let zone = try #require(TimeZone(identifier: span.zone))
        func offset(_ moment: Timestamp) -> Int {
            zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.microseconds) / 1_000_000))
        }
        let start = try #require(Timestamp(span.from)).microseconds / 60_000_000
        // From a minute on, what the clock shows, and what it leaves out before it.
        let clock = (start - 1..<start + Int64(span.days) * 1_440).map { minute in
            minute + Int64(offset(Timestamp(microseconds: minute * 60_000_000)) / 60)
        }
        for text in CronOccurrenceTests.schedules {
            let schedule = try CronSchedule(text)
            let isHourly = (0..<24).allSatisfy { schedule.hours.contains($0) }
            var expected: [Int64] = []
            var latest = clock[0]
            for index in 1..<clock.count {
                let shown = clock[index]
                let isFirst = shown > latest
                let passed = isHourly ? shown...shown : isFirst ? latest + 1...shown : shown...shown
                if isHourly || isFirst, passed.contains(where: { isDue(schedule, $0) }) {
                    expected.append(start - 1 + Int64(index))
                }
                latest = max(latest, shown)
            }
            var found: [Int64] = []
            var moment = Timestamp(microseconds: start * 60_000_000 - 1)
            let end = start + Int64(span.days) * 1_440 - 1
            while let next = schedule.next(after: moment, offset: offset), next.microseconds <= end * 60_000_000 {
                #expect(next > moment && next.microseconds % 60_000_000 == 0)
                found.append(next.microseconds / 60_000_000)
                moment = next
            }
            #expect(found == expected, "\(text) in \(span.zone)")
        }
    }

    /// - Parameter minute: of the local clock, counted from 1970.
    private func isDue(_ schedule: CronSchedule, _ minute: Int64) -> Bool {
        let time = Timestamp(microseconds: minute * 60_000_000).civil
        guard schedule.minutes.contains(time.minute), schedule.hours.contains(time.hour),
            schedule.months.contains(time.month)
        else { return false }
        let days = (schedule.daysOfMonth.contains(time.day), schedule.daysOfWeek.contains(time.weekday))
        return schedule.daysOfMonth.isAny || schedule.daysOfWeek.isAny ? days.0 && days.1 : days.0 || days.1
    }

    @Test("What comes rarely is found")
    func rare() throws {
        let moment = try #require(Timestamp("2096-03-01T00:00:00Z"))
        // A step of seven over the days of the week is Sunday alone: both must match.
        let expected = [
            "0 0 29 2 *": "2104-02-29T00:00:00.000000+00:00", "0 0 29 2 */7": "2128-02-29T00:00:00.000000+00:00",
            "0 0 31 12 *": "2096-12-31T00:00:00.000000+00:00",
        ]
        for (text, date) in expected {
            #expect(try CronSchedule(text).next(after: moment, offset: { _ in 0 })?.iso8601 == date)
        }
    }

    @Test(
        "A date and its day of the week",
        arguments: [
            ("2026-11-23T09:30:59Z", [2026, 11, 23, 9, 30, 1]), ("1969-12-31T23:59:59Z", [1969, 12, 31, 23, 59, 3]),
            ("2024-02-29T00:00:00Z", [2024, 2, 29, 0, 0, 4]),
        ])
    func civil(_ text: String, _ expected: [Int]) throws {
        let found = try #require(Timestamp(text)).civil
        #expect([found.year, found.month, found.day, found.hour, found.minute, found.weekday] == expected)
    }
}

@Suite("A schedule with H")
struct CronHashTests {
    private static let owners = (0..<400).map { "owner-\($0)" }

    private func numbers(_ values: CronSchedule.Values) -> [Int] { (0..<64).filter { values.contains($0) } }

    @Test("Each owner always gets the same numbers, and owners are spread")
    func spread() throws {
        var hours: [Int: Int] = [:]
        for owner in CronHashTests.owners {
            let schedule = try CronSchedule("H H * * *", owner: owner)
            #expect(schedule == (try CronSchedule("H H * * *", owner: owner)))
            #expect(numbers(schedule.minutes).count == 1)
            hours[try #require(numbers(schedule.hours).first), default: 0] += 1
        }
        #expect(hours.keys.sorted() == Array(0..<24))
        #expect(hours.values.allSatisfy { $0 < 50 })
    }

    @Test("Ranges and steps hold")
    func ranges() throws {
        for owner in CronHashTests.owners {
            let schedule = try CronSchedule("H/15 H(1-4) H H(1-12)/3 H(mon-fri)", owner: owner)
            let minutes = numbers(schedule.minutes)
            #expect(minutes.count == 4 && zip(minutes, minutes.dropFirst()).allSatisfy { $1 - $0 == 15 })
            #expect(numbers(schedule.hours).count == 1 && numbers(schedule.hours).allSatisfy { (1...4).contains($0) })
            #expect(numbers(schedule.daysOfMonth).allSatisfy { (1...28).contains($0) })
            #expect(numbers(schedule.months).count == 4)
            #expect(numbers(schedule.daysOfWeek).allSatisfy { (1...5).contains($0) })
        }
    }

    @Test(arguments: [
        "H( * * * *", "H() * * * *", "H(5) * * * *", "H(9-5) * * * *", "HH * * * *", "H(0-60) * * * *", "H/0 * * * *",
        "H-5 * * * *",
    ])
    func refused(_ text: String) {
        #expect(throws: BackupError.self) { try CronSchedule(text) }
    }
}
