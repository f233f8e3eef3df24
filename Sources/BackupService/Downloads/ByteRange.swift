/// A stretch of a file that a client asks for (RFC 9110, section 14). One range only: of several the whole is sent, which
/// the RFC allows.
package struct ByteRange: Sendable, Equatable {
    package enum Wish: Sendable, Equatable {
        case whole
        case part(ByteRange)
        /// Nothing of the file is in it.
        case unsatisfiable
    }

    package var start: Int64
    /// The first byte that is not in it.
    package var end: Int64

    package init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }

    /// What the header `Range` asks for of a file of a size; a header that cannot be read asks for nothing.
    package static func wish(_ header: String?, size: Int64) -> Wish {
        guard let header, header.hasPrefix("bytes=") else { return .whole }
        let text = header.dropFirst(6)
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, !text.contains(",") else { return .whole }
        let first = ends[0].trimmed
        let last = ends[1].trimmed
        if first.isEmpty {
            guard let length = number(last) else { return .whole }
            guard length > 0, size > 0 else { return .unsatisfiable }
            return .part(ByteRange(start: max(0, size - length), end: size))
        }
        guard let start = number(first) else { return .whole }
        if last.isEmpty { return start < size ? .part(ByteRange(start: start, end: size)) : .unsatisfiable }
        guard let end = number(last), end >= start else { return .whole }
        return start < size ? .part(ByteRange(start: start, end: min(end, size - 1) + 1)) : .unsatisfiable
    }

    /// Digits alone; what is too large for any file is as good as the largest number.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int64(text) ?? Int64.max
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
