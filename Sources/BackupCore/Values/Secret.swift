/// A text that must not be seen: none of its descriptions shows it.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for whoever needs it to do what it is for.
    package let revealed: String

    package init(_ text: String) { revealed = text }

    package var description: String { "********" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
