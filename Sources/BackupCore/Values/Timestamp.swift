import Glibc

/// A moment in UTC, to the microsecond. Formatted by hand: Foundation's formatters are slow and truncate.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// The system's clock now.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    package func adding(days: Int) -> Timestamp {
        Timestamp(microseconds: microseconds + Int64(days) * 86_400_000_000)
    }

    /// Seconds from `earlier` to this moment.
    package func seconds(since earlier: Timestamp) -> Double {
        Double(microseconds - earlier.microseconds) / 1_000_000
    }

    /// `2026-11-23T01:29:03.696718+00:00`, as Python's `isoformat` writes it.
    package var iso8601: String { format(date: "-", between: "T", time: ":", fraction: true) + "+00:00" }
    /// `2026-11-23 01:29:03.696718`, as Elder's catalog stores it.
    package var sql: String { format(date: "-", between: " ", time: ":", fraction: true) }
    /// `20261123_012903`, as in the names of archives.
    package var fileName: String { format(date: "", between: "_", time: "", fraction: false) }

    /// The beginning of the Monday before, or of the day itself, by UTC.
    package var monday: Timestamp {
        // 1970-01-01 was a Thursday.
        let days = Timestamp.floorDivide(microseconds, 86_400_000_000).0
        return Timestamp(microseconds: (days - Timestamp.floorDivide(days + 3, 7).1) &* 86_400_000_000)
    }

    /// A calendar date and a time of the day, to the minute.
    package struct Civil: Sendable, Equatable {
        package var year: Int
        package var month: Int
        package var day: Int
        package var hour: Int
        package var minute: Int
        /// 0 is Sunday.
        package var weekday: Int
    }

    /// By UTC; of a moment moved by its zone's offset the local one.
    package var civil: Civil {
        let (days, rest) = Timestamp.floorDivide(microseconds, 86_400_000_000)
        let (year, month, day) = Timestamp.civil(fromDays: days)
        let minutes = rest / 60_000_000
        return Civil(
            year: Int(year), month: Int(month), day: Int(day), hour: Int(minutes / 60), minute: Int(minutes % 60),
            weekday: Int(Timestamp.floorDivide(days + 4, 7).1))
    }

    private func format(date: String, between: String, time: String, fraction: Bool) -> String {
        let (days, rest) = Timestamp.floorDivide(microseconds, 86_400_000_000)
        let (year, month, day) = Timestamp.civil(fromDays: days)
        let second = rest / 1_000_000
        var text: [UInt8] = []
        text.reserveCapacity(32)
        func pad(_ value: Int64, _ width: Int) {
            // A year before 0 or after 9999 has more than four characters.
            guard value >= 0, value < [100, 10_000, 1_000_000][width / 2 - 1] else {
                let digits = String(value)
                text += String(repeating: "0", count: max(0, width - digits.count)).utf8
                text += digits.utf8
                return
            }
            var rest = value
            for _ in 0..<width { text.append(0) }
            for index in 1...width {
                text[text.count - index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        pad(year, 4)
        text += date.utf8
        pad(month, 2)
        text += date.utf8
        pad(day, 2)
        text += between.utf8
        pad(second / 3600, 2)
        text += time.utf8
        pad(second / 60 % 60, 2)
        text += time.utf8
        pad(second % 60, 2)
        if fraction {
            text.append(UInt8(ascii: "."))
            pad(rest % 1_000_000, 6)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads `YYYY-MM-DD`, then optionally `T` or a space and `HH:MM:SS`, a fraction, and `Z` or an offset; without an
    /// offset the time is UTC.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        var index = 0
        func number(_ width: Int) -> Int64? {
            guard index + width <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[index..<index + width] {
                guard byte &- 0x30 < 10 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            index += width
            return value
        }
        func skip(_ allowed: String) -> Bool {
            guard index < bytes.count, allowed.utf8.contains(bytes[index]) else { return false }
            index += 1
            return true
        }
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let days = Timestamp.days(fromCivil: year, month, day)
        // 30 February would come out as a day of March.
        guard Timestamp.civil(fromDays: days) == (year, month, day) else { return nil }
        var total = days * 86_400_000_000
        if index < bytes.count {
            guard skip("T "), let hour = number(2), skip(":"), let minute = number(2), skip(":"),
                let second = number(2), hour < 24, minute < 60, second < 61
            else { return nil }
            total += (hour * 3600 + minute * 60 + second) * 1_000_000
            if skip(".") {
                var scale: Int64 = 100_000
                let start = index
                while let digit = number(1) {
                    total += digit * scale
                    scale /= 10
                }
                guard index > start else { return nil }
            }
            if index < bytes.count, !skip("Z") {
                let negative = bytes[index] == UInt8(ascii: "-")
                guard skip("+-"), let hours = number(2) else { return nil }
                _ = skip(":")
                guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
                total -= (hours * 60 + minutes) * 60_000_000 * (negative ? -1 : 1)
            }
        }
        guard index == bytes.count else { return nil }
        microseconds = total
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        let remainder = value % by
        return remainder < 0 ? (value / by - 1, remainder + by) : (value / by, remainder)
    }

    // Days to dates and back by Howard Hinnant's algorithms, https://howardhinnant.github.io/date_algorithms.html.
    private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let (era, dayOfEra) = floorDivide(shifted, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an ISO 8601 date and time")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(iso8601)
    }
}
