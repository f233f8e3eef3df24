/// The moment of a signature, in the two forms that Signature Version 4 writes it in. Always UTC.
package struct SigningDate: Sendable, Equatable {
    /// As in `20130524T000000Z`.
    package let timestamp: String
    /// As in `20130524`.
    package let day: String

    package init(secondsSince1970 seconds: Int64) {
        let second = ((seconds % 86_400) + 86_400) % 86_400
        let (year, month, day) = Self.civilDate(daysSince1970: (seconds - second) / 86_400)
        self.day = Self.digits(year, 4) + Self.digits(month, 2) + Self.digits(day, 2)
        timestamp =
            self.day + "T" + Self.digits(second / 3600, 2) + Self.digits(second / 60 % 60, 2)
            + Self.digits(second % 60, 2) + "Z"
    }

    /// In the proleptic Gregorian calendar; years of 400 begin in March, so that the leap day comes last.
    private static func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let daysOf400Years: Int64 = 146_097
        let sinceMarchOfYear0 = days + 719_468
        let dayOfEra = ((sinceMarchOfYear0 % daysOf400Years) + daysOf400Years) % daysOf400Years
        let era = (sinceMarchOfYear0 - dayOfEra) / daysOf400Years
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return text.utf8.count < count ? String(repeating: "0", count: count - text.utf8.count) + text : text
    }
}
