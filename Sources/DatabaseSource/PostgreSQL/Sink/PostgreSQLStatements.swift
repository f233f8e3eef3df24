/// Splits a script of pg_dump's into its statements, as psql does
/// (https://www.postgresql.org/docs/current/sql-syntax-lexical.html): a semicolon ends a statement unless it stands in
/// a string, a quoted name, a comment, parentheses, or the body of a function written in SQL.
///
/// `standard_conforming_strings` is on, so that a backslash counts in `E'…'` only.
package struct PostgreSQLStatements: Sequence, IteratorProtocol {
    private let text: [UInt8]
    private var index = 0

    package init(_ script: String) { text = Array(script.utf8) }

    /// The next statement without the comments in front of it and without its semicolon.
    package mutating func next() -> String? {
        skipSpace()
        guard index < text.count else { return nil }
        let start = index
        var parentheses = 0
        var words = FunctionBody()
        while index < text.count {
            let byte = text[index]
            switch byte {
            case 0x3B where parentheses == 0 && words.depth == 0:
                let statement = String(decoding: text[start..<index], as: UTF8.self)
                index += 1
                return statement
            case 0x28:
                parentheses += 1
                index += 1
            case 0x29:
                parentheses -= 1
                index += 1
            case 0x27: skipString(escapes: isEscapeString(at: index))
            case 0x22: skipQuoted(0x22)
            case 0x24: skipDollar()
            case 0x2D where peek(1) == 0x2D: skipLine()
            case 0x2F where peek(1) == 0x2A: skipComment()
            case _ where PostgreSQLStatements.isLetter(byte):
                let word = readWord()
                if parentheses == 0 { words.note(word) }
            case 0x30...0x39: _ = readWord()
            default: index += 1
            }
        }
        let rest = String(decoding: text[start...], as: UTF8.self)
        return rest.allSatisfy(\.isWhitespace) ? nil : rest
    }

    /// psql's way to know the body of a function in SQL: `CREATE [OR REPLACE] FUNCTION … BEGIN … END`.
    private struct FunctionBody {
        private(set) var depth = 0
        private var first: [String] = []

        mutating func note(_ word: String) {
            if first.count < 4 { first.append(word) }
            let isRoutine =
                first.first == "create"
                && (["function", "procedure"].contains(first.count > 1 ? first[1] : "")
                    || first.count > 3 && first[1] == "or" && ["function", "procedure"].contains(first[3]))
            guard isRoutine else { return }
            if word == "begin" {
                depth += 1
            } else if word == "case", depth > 0 {
                depth += 1
            } else if word == "end", depth > 0 {
                depth -= 1
            }
        }
    }

    private func peek(_ offset: Int) -> UInt8 { index + offset < text.count ? text[index + offset] : 0 }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte == 0x5F || byte >= 0x80
    }

    private mutating func skipSpace() {
        while index < text.count {
            if text[index] <= 0x20 {
                index += 1
            } else if text[index] == 0x2D, peek(1) == 0x2D {
                skipLine()
            } else if text[index] == 0x2F, peek(1) == 0x2A {
                skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipLine() {
        while index < text.count, text[index] != 0x0A { index += 1 }
    }

    private mutating func skipComment() {
        var depth = 0
        repeat {
            if text[index] == 0x2F, peek(1) == 0x2A {
                depth += 1
                index += 2
            } else if text[index] == 0x2A, peek(1) == 0x2F {
                depth -= 1
                index += 2
            } else {
                index += 1
            }
        } while depth > 0 && index < text.count
    }

    /// Whether the quote belongs to `E'…'`; the E is a word of its own.
    private func isEscapeString(at quote: Int) -> Bool {
        guard quote > 0, text[quote - 1] | 0x20 == 0x65 else { return false }
        guard quote > 1 else { return true }
        let before = text[quote - 2]
        return !(PostgreSQLStatements.isLetter(before) || before == 0x24 || before &- 0x30 < 10)
    }

    private mutating func skipString(escapes: Bool) {
        guard escapes else { return skipQuoted(0x27) }
        index += 1
        while index < text.count {
            if text[index] == 0x5C {
                index += 2
            } else if text[index] == 0x27 {
                index += 1
                return
            } else {
                index += 1
            }
        }
    }

    /// A doubled quote ends one part and begins the next: no need to know it.
    private mutating func skipQuoted(_ mark: UInt8) {
        index += 1
        while index < text.count, text[index] != mark { index += 1 }
        index += 1
    }

    /// `$tag$ … $tag$`; a dollar sign that opens none is passed over.
    private mutating func skipDollar() {
        var end = index + 1
        while end < text.count, PostgreSQLStatements.isLetter(text[end]) || end > index + 1 && text[end] &- 0x30 < 10 {
            end += 1
        }
        guard end < text.count, text[end] == 0x24 else {
            index += 1
            return
        }
        let tag = Array(text[index...end])
        index = end + 1
        while index + tag.count <= text.count {
            if text[index] == 0x24, text[index..<index + tag.count].elementsEqual(tag) {
                index += tag.count
                return
            }
            index += 1
        }
        index = text.count
    }

    /// A word in small letters; one that goes on with digits and dollar signs is one word.
    private mutating func readWord() -> String {
        let start = index
        while index < text.count,
            PostgreSQLStatements.isLetter(text[index]) || text[index] &- 0x30 < 10 || text[index] == 0x24
        {
            index += 1
        }
        return String(decoding: text[start..<index].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
