/// For how long a job's backups are kept. A backup stays where any of these rules keeps it.
package struct RetentionPolicy: Sendable, Codable, Equatable {
    /// Keeps what is no more than so many days older than the job's newest good backup; 0 keeps nothing by age. Where no
    /// other rule is set either, everything stays.
    package var days: Int
    /// Keeps the newest so many good backups.
    package var last = 0
    /// Keeps the newest good backup of each of the latest so many hours in which there is one; the others likewise, for
    /// days, weeks from Monday on, months and years, all in the job's time zone.
    package var hourly = 0
    package var daily = 0
    package var weekly = 0
    package var monthly = 0
    package var yearly = 0
    /// Takes the oldest away, whichever rule keeps them, until those that stay have no more bytes than this; 0 for no
    /// limit.
    package var maximumBytes: Int64 = 0
    /// So many good backups always stay, the newest ones.
    package var minimum = 1

    private enum CodingKeys: String, CodingKey {
        case days, hourly, daily, weekly, monthly, yearly, minimum
        case last = "keep_last"
        case maximumBytes = "max_bytes"
    }

    package init(days: Int) { self.days = days }

    /// What a document leaves out is not asked for.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func number(_ key: CodingKeys) throws -> Int { try values.decodeIfPresent(Int.self, forKey: key) ?? 0 }
        days = try number(.days)
        last = try number(.last)
        hourly = try number(.hourly)
        daily = try number(.daily)
        weekly = try number(.weekly)
        monthly = try number(.monthly)
        yearly = try number(.yearly)
        maximumBytes = try values.decodeIfPresent(Int64.self, forKey: .maximumBytes) ?? 0
        minimum = try values.decodeIfPresent(Int.self, forKey: .minimum) ?? 1
    }

    /// The rules that keep one backup of each of a number of spans of time, those of short spans first.
    package var spans: [(span: RetentionSpan, count: Int)] {
        [(.hour, hourly), (.day, daily), (.week, weekly), (.month, monthly), (.year, yearly)].filter { $0.1 > 0 }
    }

    /// In a few words: `30 days`, `last 3, daily 7, weekly 4`.
    package var summary: String {
        var words: [String] = []
        if days > 0 { words.append(days == 1 ? "1 day" : "\(days) days") }
        if last > 0 { words.append("last \(last)") }
        words += spans.map { "\($0.span.rule) \($0.count)" }
        if maximumBytes > 0 { words.append("at most \(maximumBytes) bytes") }
        if minimum > 1 { words.append("at least \(minimum)") }
        return words.isEmpty ? "everything" : words.joined(separator: ", ")
    }

    /// Whether it deletes nothing, whatever there is.
    package var isUnlimited: Bool { days < 1 && last < 1 && spans.isEmpty && maximumBytes < 1 }

    /// Whether only the size says what goes.
    package var isOnlyOfSize: Bool { days < 1 && last < 1 && spans.isEmpty }

    /// Whether only the age in days says what stays.
    package var isOnlyOfDays: Bool { last < 1 && spans.isEmpty }
}

/// A span of the calendar of which one backup is kept.
package enum RetentionSpan: String, Sendable, CaseIterable {
    case hour, day, week, month, year

    /// As the rule is named.
    package var rule: String {
        switch self {
        case .hour: "hourly"
        case .day: "daily"
        case .week: "weekly"
        case .month: "monthly"
        case .year: "yearly"
        }
    }

    /// Names the span that a moment lies in, for people; equal for all moments of the span.
    ///
    /// - Parameter local: a moment moved by its zone's offset, so that its UTC fields are the local ones.
    package func name(of local: Timestamp) -> String {
        let date = local.sql
        switch self {
        case .hour: return date.prefix(13) + "h"
        case .day: return String(date.prefix(10))
        case .week: return "week of " + local.monday.sql.prefix(10)
        case .month: return String(date.prefix(7))
        case .year: return String(date.prefix(4))
        }
    }
}
