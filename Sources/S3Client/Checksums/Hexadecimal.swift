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

    static func lowerCaseDigit(_ value: UInt8) -> UInt8 { value + (value < 10 ? 48 : 87) }

    static func upperCaseDigit(_ value: UInt8) -> UInt8 { value + (value < 10 ? 48 : 55) }
}
