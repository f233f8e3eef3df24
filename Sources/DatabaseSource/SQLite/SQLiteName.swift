/// A name as SQLite compares it: by the bytes of its UTF-8, but for the case of ASCII letters.
///
/// Neither Unicode's equivalence, by which `String` compares, nor its lower case counts: a table may have a column `Ä`
/// and a column `ä`.
struct SQLiteName: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// As it is written.
    let text: String
    private let folded: [UInt8]

    init(_ text: String) {
        self.text = text
        folded = text.utf8.map(SQLiteName.fold)
    }

    init(stringLiteral text: String) { self.init(text) }

    var description: String { text }

    static func == (left: SQLiteName, right: SQLiteName) -> Bool { left.folded == right.folded }

    static func < (left: SQLiteName, right: SQLiteName) -> Bool {
        left.folded.lexicographicallyPrecedes(right.folded)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(folded) }

    func hasPrefix(_ prefix: SQLiteName) -> Bool { folded.starts(with: prefix.folded) }

    /// Whether the name begins as a virtual table's own tables do: with its name and an underscore.
    func isShadow(of owner: SQLiteName) -> Bool {
        folded.count > owner.folded.count && folded[owner.folded.count] == UInt8(ascii: "_") && hasPrefix(owner)
    }

    private static func fold(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}

extension SQLiteSchema.Object {
    /// Whether it is a table of any kind. Triggers have names of their own: one may be called as a table is.
    var isTable: Bool {
        switch kind {
        case .table, .virtualTable, .shadowTable, .internalTable: true
        case .index, .view, .trigger: false
        }
    }
}
