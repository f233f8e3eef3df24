/// When a job runs, in the five fields of crontab(5): minute, hour, day of the month, month, day of the week.
///
/// A field is `*` or a list of numbers, ranges `a-b` and names (`jan`, `mon`; any case), each with an optional step
/// `/n`; `a/n` means from `a` to the field's end. The day of the week is 0 to 7, where 0 and 7 are Sunday. As in
/// crontab(5), a job runs when either of the two day fields matches if neither begins with `*`, else when both match.
/// `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly` stand for their usual fields.
/// `H` is a number that the schedule's owner always gets, and another owner another one, so that not all run at once:
/// `H H * * *` is once a day, `H(0-29)` within these, `H/15` every 15 from some number on. Days of the month go to 28
/// there, which every month has.
package struct CronSchedule: Sendable, Equatable {
    /// The numbers that a field allows, a bit for each.
    package struct Values: Sendable, Equatable {
        var bits: UInt64 = 0
        /// Whether the field begins with `*`.
        package internal(set) var isAny = false

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

    /// - Parameter owner: whose schedule it is, for `H`: a job's UUID.
    /// - Throws: `usage`, naming the field and what it allows; also for a date that never comes, such as 30 February.
    package init(_ text: String, owner: String = "") throws(BackupError) {
        let words = text.split { $0.isWhitespace }.map(String.init)
        self.text = words.joined(separator: " ")
        let fields = try CronSchedule.fields(words)
        minutes = try Field.minute.parse(fields[0], owner)
        hours = try Field.hour.parse(fields[1], owner)
        daysOfMonth = try Field.dayOfMonth.parse(fields[2], owner)
        months = try Field.month.parse(fields[3], owner)
        daysOfWeek = try Field.dayOfWeek.parse(fields[4], owner)
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

    static func wrong(_ reason: String) -> BackupError {
        BackupError(
            .usage,
            "not a schedule: \(reason); give five fields (minute, hour, day of the month, month, day of the week), "
                + "for example \"30 2 * * *\" for 2:30 every night, or @daily")
    }

    /// Foreign text as it may stand in a message of one line.
    static func excerpt(_ text: some StringProtocol) -> String {
        String(text.prefix(40).map { $0.isASCII && ($0.asciiValue ?? 0) < 0x20 ? "?" : $0 })
    }
}
