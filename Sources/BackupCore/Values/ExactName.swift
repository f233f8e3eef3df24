/// A name as the bytes that it consists of.
///
/// `String` holds texts for equal that Unicode holds canonically equivalent ("é" as one character or as two), and so do
/// its sets and dictionaries. A database may have two tables of such names, and an archive then has both.
package struct ExactName: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    package var description: String { text }

    package static func == (left: ExactName, right: ExactName) -> Bool { left.text.isExactly(right.text) }

    package static func < (left: ExactName, right: ExactName) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// Whether both texts are the same bytes of UTF-8 (``ExactName``).
    package func isExactly(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension Sequence<String> {
    package var exactNames: Set<ExactName> { Set(map { ExactName($0) }) }
}
