/// Byte-level reading of JSON text (RFC 8259), without allocation: the one place that knows the grammar.
///
/// All functions take the text as a pointer, the index to start at and the index at which the text ends, and return
/// the index behind what they read, or a negative number when the text is not well-formed there:
/// ``failure(at:)`` encodes the place, ``failurePosition(_:)`` gives it back.
package enum JSONText {
    /// What a reader accepts beyond the grammar.
    package struct Leniency: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// `NaN`, `Infinity` and `-Infinity`, which Python's `json` writes.
        package static let nonFiniteNumbers = Leniency(rawValue: 1)
    }

    @inlinable @inline(__always)
    package static func failure(at index: Int) -> Int { -index - 1 }
    @inlinable @inline(__always)
    package static func failurePosition(_ result: Int) -> Int { -result - 1 }

    @inlinable @inline(__always)
    package static func skipWhitespace(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end {
            let byte = text[index]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
            index += 1
        }
        return index
    }

    /// The index of the first byte, from `start`, that a JSON string cannot hold as it is or that needs a look:
    /// a quote, a backslash, a control character, or a byte of a multi-byte character.
    @inlinable @inline(__always)
    package static func skipPlain(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index + 8 <= end {
            let word = UnsafeRawPointer(text + index).loadUnaligned(as: UInt64.self)
            let stops = specialBytes(in: word)
            if stops != 0 { return index + stops.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < end, isPlain(text[index]) { index += 1 }
        return index
    }

    /// The high bit of each byte of `word` that ``isPlain(_:)`` refuses; bits above the lowest one set may be wrong.
    @inlinable @inline(__always)
    package static func specialBytes(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let control = word &- ones &* 0x20
        let quote = (word ^ (ones &* 0x22)) &- ones
        let backslash = (word ^ (ones &* 0x5C)) &- ones
        return ((control | quote | backslash) & ~word | word) & (ones &* 0x80)
    }

    @inlinable @inline(__always)
    package static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
    }

    /// The length of the well-formed UTF-8 sequence of more than one byte at `index` (Unicode 15, table 3-7), or 0.
    @inlinable
    package static func multiByteLength(_ text: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
        let first = text[index]
        if first < 0xC2 || first > 0xF4 { return 0 }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        if index + length > end { return 0 }
        let second = text[index + 1]
        let low: UInt8 = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80
        let high: UInt8 = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF
        if second < low || second > high { return 0 }
        if length > 2, text[index + 2] & 0xC0 != 0x80 { return 0 }
        if length > 3, text[index + 3] & 0xC0 != 0x80 { return 0 }
        return length
    }

    /// Whether the whole range is well-formed UTF-8.
    @inlinable
    package static func isUTF8(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        var index = start
        while index < end {
            if index + 8 <= end {
                let word = UnsafeRawPointer(text + index).loadUnaligned(as: UInt64.self)
                if word & 0x8080_8080_8080_8080 == 0 {
                    index += 8
                    continue
                }
            }
            if text[index] < 0x80 {
                index += 1
            } else {
                let length = multiByteLength(text, index, end)
                if length == 0 { return false }
                index += length
            }
        }
        return true
    }

    /// Reads a string from its opening quote to behind its closing quote. Escapes must be valid, surrogates paired.
    @inlinable
    package static func skipString(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard start < end, text[start] == 0x22 else { return failure(at: start) }
        var index = start + 1
        while true {
            index = skipPlain(text, index, end)
            guard index < end else { return failure(at: end) }
            let byte = text[index]
            if byte == 0x22 { return index + 1 }
            if byte == 0x5C {
                let next = skipEscape(text, index, end)
                if next < 0 { return next }
                index = next
            } else if byte >= 0x80 {
                let length = multiByteLength(text, index, end)
                if length == 0 { return failure(at: index) }
                index += length
            } else if byte < 0x20 {
                return failure(at: index)
            } else {
                index += 1
            }
        }
    }

    @inlinable
    package static func skipEscape(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard start + 1 < end else { return failure(at: end) }
        switch text[start + 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
            return start + 2
        case 0x75:
            let unit = hexadecimalUnit(text, start + 2, end)
            if unit < 0 || unit & 0xFC00 == 0xDC00 { return failure(at: start) }
            if unit & 0xFC00 != 0xD800 { return start + 6 }
            guard start + 8 <= end, text[start + 6] == 0x5C, text[start + 7] == 0x75 else { return failure(at: start) }
            let low = hexadecimalUnit(text, start + 8, end)
            return low >= 0 && low & 0xFC00 == 0xDC00 ? start + 12 : failure(at: start)
        default:
            return failure(at: start)
        }
    }

    /// The value of four hexadecimal digits, or -1.
    @inlinable
    package static func hexadecimalUnit(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard start + 4 <= end else { return -1 }
        var value = 0
        for index in start..<start + 4 {
            let byte = text[index]
            switch byte {
            case 0x30...0x39: value = value << 4 | Int(byte - 0x30)
            case 0x41...0x46: value = value << 4 | Int(byte - 0x41 + 10)
            case 0x61...0x66: value = value << 4 | Int(byte - 0x61 + 10)
            default: return -1
            }
        }
        return value
    }

    /// Reads a number; what follows it is not looked at.
    @inlinable
    package static func skipNumber(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        if index < end, text[index] == 0x2D { index += 1 }
        guard index < end else { return failure(at: index) }
        if text[index] == 0x30 {
            index += 1
        } else {
            let digits = skipDigits(text, index, end)
            if digits == index { return failure(at: index) }
            index = digits
        }
        if index < end, text[index] == 0x2E {
            let digits = skipDigits(text, index + 1, end)
            if digits == index + 1 { return failure(at: digits) }
            index = digits
        }
        if index < end, text[index] | 0x20 == 0x65 {
            index += 1
            if index < end, text[index] == 0x2B || text[index] == 0x2D { index += 1 }
            let digits = skipDigits(text, index, end)
            if digits == index { return failure(at: index) }
            index = digits
        }
        return index
    }

    @inlinable @inline(__always)
    package static func skipDigits(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, text[index] &- 0x30 < 10 { index += 1 }
        return index
    }

    /// Reads one value of any kind, at most `depth` arrays and objects deep.
    @inlinable
    package static func skipValue(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, depth: Int, leniency: Leniency = []
    ) -> Int {
        guard start < end else { return failure(at: end) }
        switch text[start] {
        case 0x22: return skipString(text, start, end)
        case 0x7B: return skipObject(text, start, end, depth: depth, leniency: leniency)
        case 0x5B: return skipArray(text, start, end, depth: depth, leniency: leniency)
        case 0x74: return skipLiteral("true", text, start, end)
        case 0x66: return skipLiteral("false", text, start, end)
        case 0x6E: return skipLiteral("null", text, start, end)
        default:
            if leniency.contains(.nonFiniteNumbers) {
                for literal: StaticString in ["NaN", "Infinity", "-Infinity"] {
                    let next = skipLiteral(literal, text, start, end)
                    if next >= 0 { return next }
                }
            }
            return skipNumber(text, start, end)
        }
    }

    @inlinable
    package static func skipLiteral(
        _ literal: StaticString, _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int
    ) -> Int {
        let length = literal.utf8CodeUnitCount
        guard start + length <= end else { return failure(at: start) }
        for offset in 0..<length where text[start + offset] != literal.utf8Start[offset] {
            return failure(at: start)
        }
        return start + length
    }

    @inlinable
    package static func skipArray(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, depth: Int, leniency: Leniency
    ) -> Int {
        if depth == 0 { return failure(at: start) }
        var index = skipWhitespace(text, start + 1, end)
        if index < end, text[index] == 0x5D { return index + 1 }
        while true {
            index = skipValue(text, index, end, depth: depth - 1, leniency: leniency)
            if index < 0 { return index }
            index = skipWhitespace(text, index, end)
            guard index < end else { return failure(at: end) }
            if text[index] == 0x5D { return index + 1 }
            if text[index] != 0x2C { return failure(at: index) }
            index = skipWhitespace(text, index + 1, end)
        }
    }

    @inlinable
    package static func skipObject(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, depth: Int, leniency: Leniency
    ) -> Int {
        if depth == 0 { return failure(at: start) }
        var index = skipWhitespace(text, start + 1, end)
        if index < end, text[index] == 0x7D { return index + 1 }
        while true {
            index = skipString(text, index, end)
            if index < 0 { return index }
            index = skipWhitespace(text, index, end)
            guard index < end, text[index] == 0x3A else { return failure(at: index) }
            index = skipWhitespace(text, index + 1, end)
            index = skipValue(text, index, end, depth: depth - 1, leniency: leniency)
            if index < 0 { return index }
            index = skipWhitespace(text, index, end)
            guard index < end else { return failure(at: end) }
            if text[index] == 0x7D { return index + 1 }
            if text[index] != 0x2C { return failure(at: index) }
            index = skipWhitespace(text, index + 1, end)
        }
    }
}
