internal import BackupCore
internal import GRDB

/// A row as other programs may have left it: numbers as text, booleans as `T` and `F`, dates in several forms, nulls.
struct LenientRow {
    let row: Row

    private func value(_ column: String) -> DatabaseValue { row[column] }

    func text(_ column: String) -> String? {
        switch value(column).storage {
        case .null: nil
        case .int64(let number): String(number)
        case .double(let number): String(number)
        case .string(let text): text
        case .blob(let data): String(decoding: data, as: UTF8.self)
        }
    }

    /// As ``text(_:)``; nil also for empty text.
    func filledText(_ column: String) -> String? {
        text(column).flatMap { $0.isEmpty ? nil : $0 }
    }

    func integer(_ column: String) -> Int64? {
        switch value(column).storage {
        case .int64(let number): number
        case .double(let number): Int64(exactly: number.rounded())
        case .string(let text): Int64(trimmed(text)) ?? Double(trimmed(text)).flatMap { Int64(exactly: $0.rounded()) }
        case .null, .blob: nil
        }
    }

    func real(_ column: String) -> Double? {
        switch value(column).storage {
        case .int64(let number): Double(number)
        case .double(let number): number
        case .string(let text): Double(trimmed(text))
        case .null, .blob: nil
        }
    }

    func boolean(_ column: String) -> Bool? {
        switch value(column).storage {
        case .int64(let number): number != 0
        case .double(let number): number != 0
        case .string(let text):
            switch trimmed(text).lowercased() {
            case "t", "true", "1", "y", "yes": true
            case "f", "false", "0", "n", "no": false
            default: nil
            }
        case .null, .blob: nil
        }
    }

    /// A date and time as ``Timestamp`` reads it, without its seconds, or as seconds since 1970.
    func timestamp(_ column: String) -> Timestamp? {
        switch value(column).storage {
        case .string(let text):
            Timestamp(trimmed(text)) ?? Timestamp(trimmed(text) + ":00")
        case .int64(let seconds):
            Int64(exactly: Double(seconds) * 1_000_000).map { Timestamp(microseconds: $0) }
        case .double(let seconds):
            Int64(exactly: (seconds * 1_000_000).rounded()).map { Timestamp(microseconds: $0) }
        case .null, .blob: nil
        }
    }

    private func trimmed(_ text: String) -> String {
        // As a rule there is nothing to trim.
        if let first = text.utf8.first, let last = text.utf8.last, (0x21...0x7E).contains(first),
            (0x21...0x7E).contains(last)
        {
            return text
        }
        let text = text.drop { $0.isWhitespace }
        return String(text.reversed().drop { $0.isWhitespace }.reversed())
    }
}
