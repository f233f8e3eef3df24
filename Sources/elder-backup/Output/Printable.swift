/// Text made fit for a terminal: names come from databases and archives, and may hold control characters.
enum Printable {
    /// The text on one line, with control characters written as `\u{…}`.
    static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\t" {
                result += " "
            } else if isControl(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Format characters too: those that turn the direction of writing hide what a name is.
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// `1,234,567`.
    static func count(_ value: some BinaryInteger) -> String {
        let digits = Array(String(value.magnitude))
        var result = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return result
    }

    /// `1 row`, `2 rows`.
    static func count(_ value: some BinaryInteger, _ noun: String) -> String {
        count(value) + " " + noun + (value == 1 ? "" : "s")
    }

    /// The same for nouns that do not just get an s.
    static func count(_ value: some BinaryInteger, _ noun: String, _ plural: String) -> String {
        count(value) + " " + (value == 1 ? noun : plural)
    }

    /// `512 B`, `1.5 MiB`.
    static func bytes(_ value: Int64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard value >= 1024 else { return "\(value) B" }
        var amount = Double(value) / 1024
        var index = 0
        while amount >= 1023.95, index < units.count - 1 {
            amount /= 1024
            index += 1
        }
        return decimal(amount, digits: 1) + " " + units[index]
    }

    /// `0.04 s`, `12.3 s`, `4 min 05 s`, `2 h 07 min`.
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e9 else { return "? s" }
        if value < 10 { return decimal(value, digits: 2) + " s" }
        if value < 60 { return decimal(value, digits: 1) + " s" }
        let whole = Int(value.rounded())
        if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
        return "\(whole / 3600) h \(twoDigits(whole / 60 % 60)) min"
    }

    /// An estimate, so without fractions: `7 s`, `4 min 05 s`.
    static func remaining(_ value: Double) -> String {
        value.isFinite && value >= 0 && value < 59 ? "\(Int(value.rounded(.up))) s" : seconds(value)
    }

    /// A number with a fixed count of decimals.
    static func decimal(_ value: Double, digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        let scale = (0..<digits).reduce(Int64(1)) { result, _ in result * 10 }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        return "\(sign)\(scaled / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }

    private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
