import Glibc

/// Colours, where the descriptor is a terminal that wants them (https://no-color.org).
struct Style: Sendable {
    private let isColoured: Bool

    init(descriptor: Descriptor) {
        isColoured = descriptor.isTerminal && Style.variable("NO_COLOR").isEmpty && Style.variable("TERM") != "dumb"
    }

    /// Whether a line can be drawn over, again and again.
    static func canRedraw(_ descriptor: Descriptor) -> Bool {
        descriptor.isTerminal && variable("TERM") != "dumb"
    }

    func red(_ text: String) -> String { wrap(text, "31") }
    func yellow(_ text: String) -> String { wrap(text, "33") }
    func green(_ text: String) -> String { wrap(text, "32") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }
}
