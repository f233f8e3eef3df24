/// Dates as HTTP and S3's XML write them, in seconds since 1970.
package enum HTTPDate {
    /// `Fri, 24 May 2013 00:00:00 GMT` (RFC 9110, 5.6.7) or `2013-05-24T00:00:00.000Z` (ISO 8601); nil for another.
    package static func parse(_ text: String) -> Int64? {
        text.contains(",") ? parseHTTP(text) : parseISO(text)
    }

    /// `2013-05-24T00:00:00Z`
    package static func iso(_ seconds: Int64) -> String {
        let stamp = SigningDate(secondsSince1970: seconds).timestamp
        let digits = Array(stamp)
        guard digits.count == 16 else { return stamp }
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    private static func parseHTTP(_ text: String) -> Int64? {
        let words = text.split { $0 == " " || $0 == "," || $0 == ":" }
        guard words.count >= 7, let day = Int64(words[1]), let month = months.firstIndex(of: words[2].lowercased()),
            let year = Int64(words[3]), let hour = Int64(words[4]), let minute = Int64(words[5]),
            let second = Int64(words[6])
        else { return nil }
        return seconds(year, Int64(month + 1), day, hour, minute, second)
    }

    private static func parseISO(_ text: String) -> Int64? {
        let words = text.split { "-T:.Z ".contains($0) }.compactMap { Int64($0) }
        guard words.count >= 6, text.hasSuffix("Z") else { return nil }
        return seconds(words[0], words[1], words[2], words[3], words[4], words[5])
    }

    private static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64, _ second: Int64
    ) -> Int64? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        // Days from civil, https://howardhinnant.github.io/date_algorithms.html, for years after 1970.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }
}
