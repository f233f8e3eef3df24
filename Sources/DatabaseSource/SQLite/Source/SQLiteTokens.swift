/// The words of an SQL text, one after the other: names with and without quotes, and single signs.
struct SQLiteTokens {
    struct Token: Equatable {
        var text: String
        var isQuoted: Bool
    }

    private let bytes: [UInt8]
    private var index = 0

    init(_ sql: String) { bytes = Array(sql.utf8) }

    mutating func next() -> Token? {
        skipBlank()
        guard index < bytes.count else { return nil }
        switch bytes[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return quoted(by: bytes[index])
        case UInt8(ascii: "["): return quoted(by: UInt8(ascii: "]"))
        default: return word()
        }
    }

    private mutating func skipBlank() {
        while index < bytes.count {
            if [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains(bytes[index]) {
                index += 1
            } else if starts("--") {
                while index < bytes.count, bytes[index] != 0x0A { index += 1 }
            } else if starts("/*") {
                index += 2
                while index < bytes.count, !starts("*/") { index += 1 }
                index = min(index + 2, bytes.count)
            } else {
                return
            }
        }
    }

    private func starts(_ text: StaticString) -> Bool {
        guard index + 1 < bytes.count else { return false }
        return bytes[index] == text.utf8Start[0] && bytes[index + 1] == text.utf8Start[1]
    }

    /// A doubled closing quote stands for one; brackets have no such escape.
    private mutating func quoted(by closing: UInt8) -> Token {
        var text: [UInt8] = []
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == closing {
                guard closing != UInt8(ascii: "]"), index < bytes.count, bytes[index] == closing else { break }
                index += 1
            }
            text.append(byte)
        }
        return Token(text: String(decoding: text, as: UTF8.self), isQuoted: true)
    }

    private mutating func word() -> Token {
        let start = index
        while index < bytes.count, SQLiteTokens.isWordByte(bytes[index]) { index += 1 }
        if index == start { index += 1 }
        return Token(text: String(decoding: bytes[start..<index], as: UTF8.self), isQuoted: false)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x24, 0x80...: true
        default: false
        }
    }
}
