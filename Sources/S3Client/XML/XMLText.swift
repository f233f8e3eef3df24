/// Text to be put into the XML of a request.
package enum XMLText {
    /// Escapes what XML would read as something else. A bare carriage return would be read as a line feed.
    /// - Throws: ``S3Error`` of kind `configuration` for characters that XML 1.0 cannot hold in any form
    ///   (https://www.w3.org/TR/xml/#charsets).
    package static func escape(_ text: String) throws(S3Error) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            case "\r": escaped += "&#13;"
            case "\t", "\n": escaped.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}":
                throw S3Error(
                    .configuration,
                    "the character U+\(hexadecimal(scalar.value)) cannot be sent in XML; "
                        + "use the operation for a single object, whose key goes into the address")
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
