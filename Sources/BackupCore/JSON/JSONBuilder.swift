/// Appends JSON text to an array of bytes: for headers and manifests, whose exact bytes are specified. Rows are
/// written elsewhere, without arrays.
package enum JSONBuilder {
    /// Appends a string with its quotes. Escaped are the quote, the backslash and the control characters, nothing else.
    package static func append(string text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: output += [0x5C, byte]
            case 0x08: output += Array("\\b".utf8)
            case 0x09: output += Array("\\t".utf8)
            case 0x0A: output += Array("\\n".utf8)
            case 0x0C: output += Array("\\f".utf8)
            case 0x0D: output += Array("\\r".utf8)
            case 0x00..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// A string with its quotes.
    package static func string(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        append(string: text, to: &output)
        return output
    }
}
