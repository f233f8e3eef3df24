internal import BackupCore
import Glibc

/// Whether text can stand in an archive as the JSON value that it is.
enum NestedJSON {
    /// Readers differ in what they accept; this depth all of them do.
    static let largestDepth = 100

    /// Whether the text is one JSON value that keeps its bytes and its meaning when it is written as it is: no white
    /// space around it, no line break in it, well-formed to the last surrogate, not null (which is SQL's null), and not
    /// to be mistaken for a tagged value.
    static func isSafe(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard count > 0, JSONText.skipWhitespace(text, 0, count) == 0, text[0] != UInt8(ascii: "n") else {
            return false
        }
        guard JSONText.skipValue(text, 0, count, depth: largestDepth) == count else { return false }
        guard memchr(text, 0x0A, count) == nil, memchr(text, 0x0D, count) == nil else { return false }
        return text[0] != UInt8(ascii: "{") || !isTag(text, count)
    }

    /// Whether a well-formed object has exactly one key, and that begins with a dollar sign, however it is written.
    private static func isTag(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let key = JSONText.skipWhitespace(text, 1, count)
        guard key + 1 < count, text[key] == UInt8(ascii: "\"") else { return false }
        let isEscapedDollar =
            text[key + 1] == 0x5C && text[key + 2] == UInt8(ascii: "u")
            && JSONText.hexadecimalUnit(text, key + 3, count) == 0x24
        guard text[key + 1] == UInt8(ascii: "$") || isEscapedDollar else { return false }
        var index = JSONText.skipString(text, key, count)
        index = JSONText.skipWhitespace(text, index, count)
        index = JSONText.skipWhitespace(text, index + 1, count)
        index = JSONText.skipValue(text, index, count, depth: largestDepth)
        return index >= 0 && text[JSONText.skipWhitespace(text, index, count)] == UInt8(ascii: "}")
    }
}
