/// Sizes and spans of time as people write them, read strictly: a whole number and a unit, nothing else.
enum Quantity {
    private static let byteUnits: [String: Int] = [
        "": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
        "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
    ]

    /// In milliseconds.
    private static let timeUnits: [String: Int] = [
        "": 1000, "ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]

    /// `268435456`, `256MiB` or `256 MiB`, in bytes.
    static func bytes(_ text: String) -> Int? { read(text, units: byteUnits) }

    /// `30` (seconds), `30s`, `500ms` or `5 min`.
    static func duration(_ text: String) -> Duration? {
        read(text, units: timeUnits).map { .milliseconds($0) }
    }

    /// `256 MiB` where the number is a whole one of a unit, else plain bytes.
    static func text(bytes: Int) -> String {
        for (name, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes >= size {
            if bytes % size == 0 { return "\(bytes / size)\(name)" }
        }
        return "\(bytes)"
    }

    /// `30s` or `500ms`.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard attoseconds != 0 else { return "\(seconds)s" }
        return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
    }

    private static func read(_ text: String, units: [String: Int]) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        var unit = text.dropFirst(digits.count)
        if unit.first == " " { unit = unit.dropFirst() }
        // A lone trailing space is not a unit.
        guard let value = Int(digits), let factor = units[String(unit)], !text.hasSuffix(" ") else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
