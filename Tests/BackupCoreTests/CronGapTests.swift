import BackupCore
import Foundation
import Testing

@Suite("The longest time between two runs of a schedule")
struct CronGapTests {
    private static let hour: Int64 = 3_600_000_000

    private func gap(_ text: String, _ now: String, zone name: String = "UTC") throws -> Int64? {
        let zone = try #require(TimeZone(identifier: name))
        let schedule = try CronSchedule(text)
        return schedule.longestGap(around: try #require(Timestamp(now))) { moment in
            zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.microseconds) / 1_000_000))
        }
    }

    @Test(
        "The night and the weekend count, whenever it is asked for",
        arguments: ["2026-11-23T16:21:00Z", "2026-11-23T03:00:00Z", "2026-11-23T10:25:00Z", "2026-11-27T15:50:00Z"])
    func officeHours(_ now: String) throws {
        // From 15:50 to 6:00.
        #expect(try gap("*/10 6-15 * * *", now) == 14 * Self.hour + Self.hour / 6)
        #expect(try gap("*/10 6-15 * * mon-fri", now) == 62 * Self.hour + Self.hour / 6)
        #expect(try gap("* * * * *", now) == Self.hour / 60)
        #expect(try gap("*/7 * * * *", now) == Self.hour * 7 / 60)
        #expect(try gap("0 */6 * * *", now) == 6 * Self.hour)
    }

    @Test("What is due seldom is looked for far away")
    func seldom() throws {
        let now = "2026-11-23T16:21:00Z"
        #expect(try gap("@daily", now) == 24 * Self.hour)
        #expect(try gap("@monthly", now) == 31 * 24 * Self.hour)
        #expect(try gap("@yearly", now) == 366 * 24 * Self.hour)
        #expect(try gap("0 3 29 2 *", now) == 1_461 * 24 * Self.hour)
        // The day after clocks were set back has 25 hours.
        #expect(try gap("30 12 * * *", "2026-10-20T00:00:00Z", zone: "Europe/Berlin") == 25 * Self.hour)
        #expect(try gap("30 * * * *", "2026-10-20T00:00:00Z", zone: "Europe/Berlin") == Self.hour)
    }

    @Test("It is the longest of those that a walk along the schedule finds", arguments: CronOccurrenceTests.schedules)
    func walk(_ text: String) throws {
        let zone = try #require(TimeZone(identifier: "America/New_York"))
        func offset(_ moment: Timestamp) -> Int {
            zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.microseconds) / 1_000_000))
        }
        let schedule = try CronSchedule(text)
        for start in ["2026-03-01T17:03:00Z", "2026-07-04T05:30:00Z", "2026-10-30T06:29:59Z"] {
            let now = try #require(Timestamp(start))
            var moment = try #require(schedule.next(after: now, offset: offset))
            var longest: Int64 = 0
            while moment.microseconds < now.microseconds + 8 * 24 * Self.hour {
                let next = try #require(schedule.next(after: moment, offset: offset))
                longest = max(longest, next.microseconds - moment.microseconds)
                moment = next
            }
            let found = try #require(schedule.longestGap(around: now, offset: offset))
            #expect(found >= longest)
            // Between the runs before and behind now there is one of that length.
            var isThere = false
            moment = try #require(
                schedule.next(after: Timestamp(microseconds: now.microseconds - found - 1), offset: offset))
            for _ in 0..<200 where !isThere {
                let next = try #require(schedule.next(after: moment, offset: offset))
                isThere = next.microseconds - moment.microseconds == found
                moment = next
            }
            #expect(isThere)
        }
    }
}
