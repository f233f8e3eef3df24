import BackupCore
import Foundation
import TestSupport
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01 00:00:00.000000", 0), ("1970-01-01 00:00:00.000001", 1), ("1969-12-31 23:59:59.999999", -1),
        ("2000-02-29 00:00:00.000000", 951_782_400_000_000), ("2024-02-29 12:30:45.123456", 1_709_209_845_123_456),
        ("1900-03-01 00:00:00.000000", -2_203_891_200_000_000), ("1600-02-29 00:00:00.000000", -11_670_998_400_000_000),
        ("0001-01-01 00:00:00.000000", -62_135_596_800_000_000),
        ("9999-12-31 23:59:59.999999", 253_402_300_799_999_999),
        ("2038-01-19 03:14:08.000000", 2_147_483_648_000_000),
    ])
    func knownMoments(_ text: String, _ microseconds: Int) throws {
        let moment = try #require(Timestamp(text))
        #expect(moment.microseconds == Int64(microseconds))
        #expect(moment.sql == text)
        #expect(moment.iso8601 == text.replacing(" ", with: "T") + "+00:00")
    }

    @Test func roundTrips() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            // From the year 1 to the year 9999.
            let value = Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &generator)
            let moment = Timestamp(microseconds: value)
            #expect(Timestamp(moment.sql) == moment)
            #expect(Timestamp(moment.iso8601) == moment)
        }
    }

    @Test func agreesWithFoundation() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<2000 {
            // From 1600 on: before 1582 Foundation counts in the Julian calendar.
            let seconds = Int64.random(in: -11_670_998_400...253_402_300_799, using: &generator)
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second],
                from: Date(timeIntervalSince1970: TimeInterval(seconds)))
            let numbers = [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second].compactMap { $0 }
            let text = String(
                format: "%04d-%02d-%02d %02d:%02d:%02d.000000", numbers[0], numbers[1], numbers[2], numbers[3],
                numbers[4], numbers[5])
            #expect(Timestamp(microseconds: seconds * 1_000_000).sql == text)
        }
    }

    @Test(arguments: [
        ("2025-10-29", "2025-10-29 00:00:00.000000"), ("2025-10-29T15:00:00Z", "2025-10-29 15:00:00.000000"),
        ("2025-10-29 15:00:00.5", "2025-10-29 15:00:00.500000"),
        ("2025-10-29 15:00:00.1234567", "2025-10-29 15:00:00.123456"),
        ("2025-10-29T15:00:00+02:00", "2025-10-29 13:00:00.000000"),
        ("2025-10-29T15:00:00-0530", "2025-10-29 20:30:00.000000"),
        ("2025-01-01T00:30:00.25+01:00", "2024-12-31 23:30:00.250000"),
    ])
    func readsOtherForms(_ text: String, _ expected: String) {
        #expect(Timestamp(text)?.sql == expected)
    }

    @Test(arguments: [
        "", "2025", "2025-10", "2025-1-1", "2025-13-01", "2025-00-01", "2025-01-00", "2025-01-32", "2025-02-29",
        "2025-02-30", "2025-04-31", "1900-02-29", "2025-10-29T", "2025-10-29 15", "2025-10-29 15:00",
        "2025-10-29 24:00:00", "2025-10-29 15:60:00", "2025-10-29 15:00:61", "2025-10-29 15:00:00.",
        "2025-10-29 15:00:00 ", "2025-10-29 15:00:00+", "2025-10-29 15:00:00+02", "2025-10-29 15:00:00Zx",
        "2025-10-29x15:00:00", "x025-10-29", "2025-10-29 15:00:00+24:00", "2025-10-29 15:00:00+02:60", "٢٠٢٥-10-29",
    ])
    func refusesOtherText(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func namesAndArithmetic() throws {
        let moment = try #require(Timestamp("2026-11-23 01:29:03.696718"))
        #expect(moment.fileName == "20261123_012903")
        #expect(moment.adding(days: 8).sql == "2026-12-01 01:29:03.696718")
        #expect(moment.adding(days: -23).sql == "2026-10-31 01:29:03.696718")
        #expect(moment.adding(days: 1).seconds(since: moment) == 86_400)
        let data = try JSONEncoder().encode([moment])
        #expect(try JSONDecoder().decode([Timestamp].self, from: data) == [moment])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Timestamp].self, from: Data("[\"x\"]".utf8)) }
    }
}
