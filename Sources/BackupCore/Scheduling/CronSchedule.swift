/// When a job runs, in the five fields of crontab(5): minute, hour, day of the month, month, day of the week.
///
/// A field is `*` or a list of numbers, ranges `a-b` and names (`jan`, `mon`; any case), each with an optional step
/// `/n`; `a/n` means from `a` to the field's end. The day of the week is 0 to 7, where 0 and 7 are Sunday. As in
/// crontab(5), a job runs when either of the two day fields matches if neither begins with `*`, else when both match.
/// `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly` stand for their usual fields.
package struct CronSchedule: Sendable, Equatable {
    /// The numbers that a field allows, a bit for each.
    package struct Values: Sendable, Equatable {
        fileprivate(set) var bits: UInt64 = 0
        /// Whether the field begins with `*`.
        package fileprivate(set) var isAny = false

        package func contains(_ number: Int) -> Bool {
            (0..<64).contains(number) && bits & 1 << UInt64(number) != 0
        }
    }

    /// As it was given, without outer white space.
    package let text: String
    package let minutes: Values
    package let hours: Values
    package let daysOfMonth: Values
    package let months: Values
    /// 0 is Sunday; never 7.
    package let daysOfWeek: Values

    /// - Throws: `usage`, naming the field and what it allows; also for a date that never comes, such as 30 February.
    package init(_ text: String) throws(BackupError) {
        let words = text.split { $0.isWhitespace }.map(String.init)
        self.text = words.joined(separator: " ")
        let fields = try CronSchedule.fields(words)
        minutes = try Field.minute.parse(fields[0])
        hours = try Field.hour.parse(fields[1])
        daysOfMonth = try Field.dayOfMonth.parse(fields[2])
        months = try Field.month.parse(fields[3])
        daysOfWeek = try Field.dayOfWeek.parse(fields[4])
        guard comes else {
            throw CronSchedule.wrong("\"\(self.text)\" names a date that never comes")
        }
    }

    /// Whether some month has some of the days. With a day of the week named as well, every week has one.
    private var comes: Bool {
        if !daysOfWeek.isAny, !daysOfMonth.isAny { return true }
        let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains { month in
            months.contains(month) && (1...lengths[month - 1]).contains { daysOfMonth.contains($0) }
        }
    }

    private static func fields(_ words: [String]) throws(BackupError) -> [String] {
        guard let first = words.first else { throw wrong("it is empty") }
        if first.hasPrefix("@") {
            guard words.count == 1, let meaning = shorthands[first.lowercased()] else {
                let known = shorthands.keys.sorted().joined(separator: ", ")
                throw wrong("\"\(excerpt(words.joined(separator: " ")))\" is not one of \(known)")
            }
            return meaning.split(separator: " ").map(String.init)
        }
        guard words.count == 5 else { throw wrong("it has \(words.count) fields") }
        return words
    }

    private static let shorthands = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    fileprivate static func wrong(_ reason: String) -> BackupError {
        BackupError(
            .usage,
            "not a schedule: \(reason); give five fields (minute, hour, day of the month, month, day of the week), "
                + "for example \"30 2 * * *\" for 2:30 every night, or @daily")
    }

    /// Foreign text as it may stand in a message of one line.
    fileprivate static func excerpt(_ text: some StringProtocol) -> String {
        String(text.prefix(40).map { $0.isASCII && ($0.asciiValue ?? 0) < 0x20 ? "?" : $0 })
    }
}

extension CronSchedule {
    /// One of the five fields: what it allows, and how it is read.
    private struct Field {
        let title: String
        let allowed: ClosedRange<Int>
        /// Names in the order of their numbers, from `firstName` on.
        var names: [String] = []
        var firstName = 0

        static let minute = Field(title: "minute", allowed: 0...59)
        static let hour = Field(title: "hour", allowed: 0...23)
        static let dayOfMonth = Field(title: "day of the month", allowed: 1...31)
        static let month = Field(
            title: "month", allowed: 1...12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], firstName: 1)
        static let dayOfWeek = Field(
            title: "day of the week", allowed: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

        func parse(_ text: String) throws(BackupError) -> Values {
            var values = Values()
            for item in text.split(separator: ",", omittingEmptySubsequences: false) {
                values.bits |= try bits(item)
            }
            // Sunday has two numbers.
            if allowed.upperBound == 7, values.contains(7) { values.bits = (values.bits | 1) & ~(1 << 7) }
            values.isAny = text.hasPrefix("*")
            return values
        }

        private func bits(_ item: Substring) throws(BackupError) -> UInt64 {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let base = parts.first else { throw wrong(item) }
            let range = try range(base, item: item, hasStep: parts.count == 2)
            var step = 1
            if parts.count == 2 {
                guard let number = CronSchedule.number(parts[1]), number >= 1 else { throw wrong(item) }
                step = number
            }
            var bits: UInt64 = 0
            for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
                bits |= 1 << UInt64(value)
            }
            return bits
        }

        private func range(
            _ base: Substring, item: Substring, hasStep: Bool
        ) throws(BackupError) -> ClosedRange<Int> {
            // A star over the days of the week must not count Sunday twice, or steps would.
            let last = allowed.upperBound == 7 ? 6 : allowed.upperBound
            if base == "*" { return allowed.lowerBound...last }
            let ends = base.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = ends.first, let low = value(first) else { throw wrong(item) }
            if ends.count == 1 {
                return hasStep ? low...max(low, last) : low...low
            }
            guard var high = value(ends[1]) else { throw wrong(item) }
            // `fri-sun` ends with the Sunday after the Friday.
            if allowed.upperBound == 7, high == 0, low > 0 { high = 7 }
            guard low <= high else { throw wrong(item) }
            return low...high
        }

        private func value(_ text: Substring) -> Int? {
            if let index = names.firstIndex(of: text.lowercased()) { return index + firstName }
            return CronSchedule.number(text).flatMap { allowed.contains($0) ? $0 : nil }
        }

        private func wrong(_ item: Substring) -> BackupError {
            let span = "\(allowed.lowerBound) to \(allowed.upperBound)"
            let named = names.first.flatMap { first in names.last.map { " or \(first) to \($0)" } } ?? ""
            return CronSchedule.wrong(
                "\"\(CronSchedule.excerpt(item))\" in the field \(title), which allows \(span)\(named)")
        }
    }

    /// Decimal digits only, no sign, no more than four.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int(text)
    }
}
