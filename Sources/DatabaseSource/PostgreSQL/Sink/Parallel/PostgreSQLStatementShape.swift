/// What a definition of pg_dump's does, as far as it matters for what may run beside it. Tables go by their keys in an
/// archive.
package enum PostgreSQLStatementShape: Equatable {
    /// A setting of the session, by its name.
    case setting(String)
    /// Builds an index on a table; as a constraint, alone on that table.
    case index(table: String, isConstraint: Bool)
    case foreignKey(child: String, parent: String)
    /// Belongs to the index or constraint in front of it.
    case companion
    case other

    package init(_ statement: String) {
        var words = PostgreSQLWords(statement)
        switch words.next() {
        case .word("set"):
            if case .word(let name) = words.next() { self = .setting(name) } else { self = .other }
        case .word("select"):
            // pg_dump selects nothing else.
            self = statement.hasPrefix("SELECT pg_catalog.set_config('search_path',") ? .setting("search_path") : .other
        case .word("create"):
            self = PostgreSQLStatementShape.creation(&words)
        case .word("alter"):
            self = PostgreSQLStatementShape.alteration(&words)
        case .word("comment"):
            let kind = (words.next(), words.next()).1
            self = kind == .word("index") || kind == .word("constraint") ? .companion : .other
        default: self = .other
        }
    }

    private static func creation(_ words: inout PostgreSQLWords) -> PostgreSQLStatementShape {
        var word = words.next()
        if word == .word("unique") { word = words.next() }
        guard word == .word("index"), words.skip(to: "on"), let table = words.relation() else { return .other }
        return .index(table: table, isConstraint: false)
    }

    private static func alteration(_ words: inout PostgreSQLWords) -> PostgreSQLStatementShape {
        switch words.next() {
        case .word("index"):
            // Attaching an index to that of a partitioned table concerns two of them.
            guard words.relation() != nil, words.next() == .word("alter") else { return .other }
            return .companion
        case .word("table"): break
        default: return .other
        }
        guard let table = words.relation() else { return .other }
        switch words.next() {
        case .word("cluster"), .word("replica"): return .companion
        case .word("add"): break
        default: return .other
        }
        // ADD CONSTRAINT name …
        guard words.next() == .word("constraint"), words.next() != nil else { return .other }
        switch words.next() {
        case .word("primary"), .word("unique"), .word("exclude"): return .index(table: table, isConstraint: true)
        case .word("foreign"):
            guard words.skip(to: "references"), let parent = words.relation() else { return .other }
            return .foreignKey(child: table, parent: parent)
        default: return .other
        }
    }
}

/// The words, names and signs of a statement, one after the other.
struct PostgreSQLWords {
    enum Word: Equatable {
        /// Without quotes, in small letters.
        case word(String)
        /// A quoted name.
        case name(String)
        case sign(Unicode.Scalar)
    }

    private var rest: Substring.UnicodeScalarView

    init(_ text: String) { rest = Substring(text).unicodeScalars }

    mutating func next() -> Word? {
        while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
        guard let first = rest.popFirst() else { return nil }
        if first == "\"" { return .name(quoted()) }
        guard PostgreSQLWords.isLetter(first) else { return .sign(first) }
        var word = String.UnicodeScalarView([first])
        while let scalar = rest.first, PostgreSQLWords.isLetter(scalar) {
            word.append(scalar)
            rest.removeFirst()
        }
        return .word(String(word).lowercased())
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_"
            || scalar == "$"
    }

    private mutating func quoted() -> String {
        var name = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == "\"" {
                guard rest.first == "\"" else { break }
                rest.removeFirst()
            }
            name.append(scalar)
        }
        return String(name)
    }

    /// Goes behind the next such word.
    mutating func skip(to word: String) -> Bool {
        while let next = next() {
            if next == .word(word) { return true }
        }
        return false
    }

    /// `[ONLY] schema.name`, as pg_dump writes it: always with its schema. Returns the key in an archive.
    mutating func relation() -> String? {
        var first = next()
        if first == .word("only") { first = next() }
        guard let schema = PostgreSQLWords.text(first), next() == .sign("."), let name = PostgreSQLWords.text(next())
        else { return nil }
        return PostgreSQLName(schema: schema, name: name).archiveKey
    }

    private static func text(_ word: Word?) -> String? {
        switch word {
        case .word(let text), .name(let text): text
        default: nil
        }
    }
}
