/// Bytes as hexadecimal digits.
package enum Hexadecimal {
    /// In lower case, two digits for each byte.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.underestimatedCount * 2)
        for byte in bytes {
            text.append(lowerCaseDigit(byte >> 4))
            text.append(lowerCaseDigit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil where the text is not made of pairs of digits, of either case.
    static func decode(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { digit -> UInt8? in
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x61...0x66: digit - 0x57
            case 0x41...0x46: digit - 0x37
            default: nil
            }
        }
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    static func lowerCaseDigit(_ value: UInt8) -> UInt8 { value + (value < 10 ? 48 : 87) }

    static func upperCaseDigit(_ value: UInt8) -> UInt8 { value + (value < 10 ? 48 : 55) }
}
