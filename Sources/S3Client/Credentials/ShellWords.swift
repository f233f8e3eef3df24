/// A command line cut into words as a POSIX shell does it, without expanding anything.
/// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_02
package enum ShellWords {
    /// - Returns: nil where a quote is not closed or a backslash ends the text.
    package static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String.UnicodeScalarView?
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case " ", "\t", "\n", "\r":
                if let finished = word { words.append(String(finished)) }
                word = nil
            case "'":
                guard let end = rest.firstIndex(of: "'") else { return nil }
                word = (word ?? .init()) + rest[..<end]
                rest = rest[rest.index(after: end)...]
            case "\"":
                guard let quoted = doubleQuoted(&rest) else { return nil }
                word = (word ?? .init()) + quoted
            case "\\":
                guard let next = rest.popFirst() else { return nil }
                // A backslash at a line's end joins two lines.
                if next != "\n" { word = (word ?? .init()) + CollectionOfOne(next) }
            default:
                word = (word ?? .init()) + CollectionOfOne(scalar)
            }
        }
        if let finished = word { words.append(String(finished)) }
        return words
    }

    private static func doubleQuoted(_ rest: inout String.UnicodeScalarView.SubSequence) -> String.UnicodeScalarView? {
        var quoted = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return quoted
            case "\\":
                guard let next = rest.popFirst() else { return nil }
                if next == "\n" { continue }
                if !"\"\\$`".unicodeScalars.contains(next) { quoted.append(scalar) }
                quoted.append(next)
            default: quoted.append(scalar)
            }
        }
        return nil
    }
}
