extension CronSchedule {
    /// One of the five fields: what it allows, and how it is read.
    struct Field {
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

        func parse(_ text: String, _ owner: String) throws(BackupError) -> Values {
            var values = Values()
            for item in text.split(separator: ",", omittingEmptySubsequences: false) {
                values.bits |= try bits(item, owner)
            }
            // Sunday has two numbers.
            if allowed.upperBound == 7, values.contains(7) { values.bits = (values.bits | 1) & ~(1 << 7) }
            values.isAny = text.hasPrefix("*")
            return values
        }

        private func bits(_ item: Substring, _ owner: String) throws(BackupError) -> UInt64 {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let base = parts.first else { throw wrong(item) }
            var step: Int?
            if parts.count == 2 {
                guard let number = CronSchedule.number(parts[1]), number >= 1 else { throw wrong(item) }
                step = number
            }
            let isHashed = base.first == "H" || base.first == "h"
            let range =
                isHashed
                ? try hashed(base, item: item, step, owner) : try range(base, item: item, hasStep: step != nil)
            var bits: UInt64 = 0
            for value in stride(from: range.lowerBound, through: range.upperBound, by: step ?? 1) {
                bits |= 1 << UInt64(value)
            }
            return bits
        }

        /// What `H` stands for: one number of the owner's, or with a step those from one of its first numbers on.
        private func hashed(
            _ base: Substring, item: Substring, _ step: Int?, _ owner: String
        ) throws(BackupError) -> ClosedRange<Int> {
            var within = allowed.lowerBound...last
            if title == Field.dayOfMonth.title { within = 1...28 }
            let rest = base.dropFirst()
            if !rest.isEmpty {
                guard rest.first == "(", rest.last == ")", rest.contains("-") else { throw wrong(item) }
                within = try range(rest.dropFirst().dropLast(), item: item, hasStep: false)
            }
            let choices = min(step ?? within.count, within.count)
            let first = within.lowerBound + Int(Field.hash(owner, title) % UInt64(choices))
            return first...(step == nil ? first : within.upperBound)
        }

        /// FNV-1a, with its bits mixed, since few of them are taken: https://datatracker.ietf.org/doc/html/rfc9923
        private static func hash(_ owner: String, _ title: String) -> UInt64 {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in owner.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            for byte in title.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
            return hash ^ hash >> 33
        }

        // A star over the days of the week must not count Sunday twice, or steps would.
        private var last: Int { allowed.upperBound == 7 ? 6 : allowed.upperBound }

        private func range(
            _ base: Substring, item: Substring, hasStep: Bool
        ) throws(BackupError) -> ClosedRange<Int> {
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
