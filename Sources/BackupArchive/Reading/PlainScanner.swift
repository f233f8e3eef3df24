internal import BackupCore
internal import Glibc

/// Walks through the text of a backup in the plain form: keys in any order, any indentation, bounded memory.
struct PlainScanner {
    private let stream: PlainTextStream
    private var text: UnsafeMutablePointer<UInt8>
    private let buffer: RowBatch
    private var index = 0
    private var end = 0
    /// Of the text before what is in the buffer, in bytes.
    private var passed = 0
    private let longestRow: Int

    /// White space between two values that no program writes: the mark of a decompression bomb.
    private static let longestGap = 1 << 20
    private static let deepest = 1000

    init(stream: PlainTextStream, longestRow: Int) {
        self.stream = stream
        self.longestRow = longestRow
        buffer = RowBatch()
        text = buffer.bytes.assumingMemoryBound(to: UInt8.self)
    }

    /// The next byte that is not white space, without going past it.
    mutating func peek() throws -> UInt8 {
        var gap = 0
        while true {
            let next = JSONText.skipWhitespace(text, index, end)
            gap += next - index
            index = next
            if index < end { return text[index] }
            guard gap <= PlainScanner.longestGap else { throw malformed("there is nothing but white space") }
            guard try refill() else { throw malformed("the text ends too early") }
        }
    }

    mutating func expect(_ byte: UInt8) throws {
        guard try peek() == byte else { throw malformed("'\(Character(Unicode.Scalar(byte)))' is missing") }
        index += 1
    }

    /// Whether the next byte is this one; goes past it if so.
    mutating func take(_ byte: UInt8) throws -> Bool {
        guard try peek() == byte else { return false }
        index += 1
        return true
    }

    mutating func expectEnd() throws {
        while true {
            index = JSONText.skipWhitespace(text, index, end)
            guard index == end else { throw malformed("something follows the backup") }
            guard try refill() else { return }
        }
    }

    /// The next value's place in ``bytes``, valid until the next call.
    mutating func value(atMost limit: Int) throws -> Range<Int> {
        try expectValue()
        var walk = Walk()
        var offset = 0
        while true {
            if let length = walk.advance(text + index, from: &offset, to: end - index) {
                defer { index += length }
                return index..<index + length
            }
            guard walk.depth <= PlainScanner.deepest else { throw malformed("values are nested over 1,000 deep") }
            guard end - index <= limit else { throw malformed("a value is over \(limit) bytes long") }
            guard try refill() else { throw malformed("the text ends within a value") }
        }
    }

    /// Goes past the next value, however long, without keeping it.
    mutating func skipValue() throws {
        try expectValue()
        var walk = Walk()
        while true {
            var offset = 0
            if let length = walk.advance(text + index, from: &offset, to: end - index) {
                index += length
                return
            }
            guard walk.depth <= PlainScanner.deepest else { throw malformed("values are nested over 1,000 deep") }
            index = end
            guard try refill() else { throw malformed("the text ends within a value") }
        }
    }

    private mutating func expectValue() throws {
        if [UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "}"), UInt8(ascii: "]")].contains(try peek()) {
            throw malformed("a value is missing")
        }
    }

    /// The next string as text.
    mutating func string() throws -> String {
        guard try peek() == UInt8(ascii: "\"") else { throw malformed("a string is missing") }
        let range = try value(atMost: 1 << 20)
        guard
            let string = JSONSlices.string(
                Array(UnsafeBufferPointer(start: text + range.lowerBound, count: range.count)))
        else { throw malformed("a string is not well-formed") }
        return string
    }

    var bytes: UnsafePointer<UInt8> { UnsafePointer(text) }
    var place: Int { passed + index }
    var rowLimit: Int { longestRow }

    func malformed(_ what: String) -> BackupError {
        BackupError(.damaged, "\(what): the file is not a backup, or it was altered", location: ["text byte \(place)"])
    }

    /// Moves what is left to the front and reads more behind it. False at the end of the text.
    private mutating func refill() throws -> Bool {
        if index > 0 {
            memmove(text, text + index, end - index)
            passed += index
            end -= index
            index = 0
        }
        buffer.count = end
        buffer.reserve(256 * 1024)
        text = buffer.bytes.assumingMemoryBound(to: UInt8.self)
        let length = try stream.read(into: buffer.bytes + end, count: buffer.capacity - end)
        end += length
        return length > 0
    }

    /// Finds where a value ends, from its brackets and quotes alone, across refills.
    private struct Walk {
        private(set) var depth = 0
        private var inString = false
        private var escaped = false
        private var isScalar = false

        /// Goes on from `offset`; returns the value's length once its end was seen.
        mutating func advance(_ text: UnsafePointer<UInt8>, from offset: inout Int, to end: Int) -> Int? {
            while offset < end {
                let byte = text[offset]
                if inString {
                    offset += 1
                    if escaped {
                        escaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        escaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        inString = false
                        if depth == 0 { return offset }
                    }
                    continue
                }
                switch byte {
                case UInt8(ascii: "\"") where !isScalar:
                    inString = true
                case UInt8(ascii: "{") where !isScalar, UInt8(ascii: "[") where !isScalar:
                    depth += 1
                    if depth > PlainScanner.deepest { return nil }
                case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), 0x20, 0x0A, 0x0D, 0x09:
                    if depth == 0 { return offset }
                    if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                        depth -= 1
                        if depth == 0 { return offset + 1 }
                    }
                default:
                    if depth == 0 { isScalar = true }
                }
                offset += 1
            }
            return nil
        }
    }
}
