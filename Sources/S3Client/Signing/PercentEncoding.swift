/// Percent-encoding as Signature Version 4 wants it (RFC 3986): of a text's UTF-8 all but `A-Z a-z 0-9 - . _ ~` becomes
/// `%XX` in upper case, and a space `%20`.
package enum PercentEncoding {
    /// A path: `/` stays as it is. Nothing is collapsed or resolved, neither `//` nor `.` nor `..`.
    package static func path(_ path: String) -> String { encode(path, isKept: \.isKeptInPath) }

    /// A name or a value of a query.
    package static func query(_ text: String) -> String { encode(text, isKept: \.isUnreserved) }

    /// The text that was encoded.
    /// - Parameter plusIsSpace: as listings with `encoding-type=url` need it, and addresses do not.
    /// - Returns: nil where an escape is not two hexadecimal digits, or where the bytes are not UTF-8.
    package static func decode(_ text: String, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.hexadecimalValue, let low = rest.popFirst()?.hexadecimalValue else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func encode(_ text: String, isKept: (UInt8) -> Bool) -> String {
        if text.utf8.allSatisfy(isKept) { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count * 2)
        for byte in text.utf8 {
            if isKept(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(Hexadecimal.upperCaseDigit(byte >> 4))
                bytes.append(Hexadecimal.upperCaseDigit(byte & 15))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isUnreserved: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    fileprivate var isKeptInPath: Bool { isUnreserved || self == UInt8(ascii: "/") }

    fileprivate var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
