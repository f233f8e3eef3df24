/// A value with secrets somewhere below it, which no description shows.
protocol Redacted: CustomStringConvertible {}

extension Redacted {
    package var description: String { "\(Self.self)(not shown)" }
}
