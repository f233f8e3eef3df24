/// The headers of a request that are signed, in the form in which they are signed.
struct CanonicalHeaders {
    /// One `name:value` a line, with a line break after each.
    let lines: String
    /// `name;name;…`
    let names: String

    /// - Parameters:
    ///   - headers: of which those are taken that are signed.
    ///   - added: by signing itself, in lower case; they win over equal names among `headers`.
    init(host: String, _ headers: [(String, String)], added: [(String, String)]) {
        var values = ["host": Self.trimmed(host)]
        for (name, value) in added { values[name] = Self.trimmed(value) }
        let fixed = Set(values.keys)
        for (name, value) in headers {
            let name = name.lowercased()
            guard Self.isSigned(name), !fixed.contains(name) else { continue }
            values[name] = values[name].map { "\($0),\(Self.trimmed(value))" } ?? Self.trimmed(value)
        }
        let sorted = values.sorted { $0.key < $1.key }
        lines = sorted.map { "\($0.key):\($0.value)\n" }.joined()
        names = sorted.map(\.key).joined(separator: ";")
    }

    private static func isSigned(_ name: String) -> Bool {
        name.hasPrefix("x-amz-") || ["content-md5", "content-type", "date", "range"].contains(name)
    }

    /// Without white space at the ends, and with runs of it inside made one space.
    private static func trimmed(_ value: String) -> String {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard value.utf8.contains(where: isSpace) else { return value }
        return value.utf8.split(whereSeparator: isSpace)
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }
}
