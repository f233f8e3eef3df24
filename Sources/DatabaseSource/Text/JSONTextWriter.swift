internal import BackupCore

/// Writes values as JSON text into memory that the caller has made large enough.
///
/// Lengths must be known beforehand (``encodedLength(_:_:)``, ``base64Length(_:)``); up to ``slack`` bytes behind
/// what a call returns may be overwritten with rubbish.
enum JSONTextWriter {
    /// Bytes behind the end of what is written that must be writable.
    static let slack = 16
    /// How many times its own length a string's text can have at most: `\u001f` for one byte.
    static let largestExpansion = 6

    /// Writes the inside of a JSON string, without quotes: only what must be escaped is.
    ///
    /// - Returns: the number of bytes written, or -1 where the text is not well-formed UTF-8.
    @inline(__always)
    static func writeText(_ text: UnsafePointer<UInt8>, _ count: Int, to out: UnsafeMutablePointer<UInt8>) -> Int {
        var index = 0
        var written = 0
        while true {
            // Eight bytes at a time; the store may reach beyond what counts, the next one overwrites it.
            while index + 8 <= count {
                let word = UnsafeRawPointer(text + index).loadUnaligned(as: UInt64.self)
                UnsafeMutableRawPointer(out + written).storeBytes(of: word, as: UInt64.self)
                let stops = JSONText.specialBytes(in: word)
                if stops != 0 {
                    let plain = stops.trailingZeroBitCount / 8
                    index += plain
                    written += plain
                    break
                }
                index += 8
                written += 8
            }
            if count - index < 8 {
                while index < count, JSONText.isPlain(text[index]) {
                    out[written] = text[index]
                    index += 1
                    written += 1
                }
                if index == count { return written }
            }
            let step = writeSpecial(text, &index, count, to: out + written)
            if step < 0 { return -1 }
            written += step
        }
    }

    /// Writes the character at `index`, which is no plain one, and moves behind it; -1 where it is not UTF-8.
    @inline(__always)
    private static func writeSpecial(
        _ text: UnsafePointer<UInt8>, _ index: inout Int, _ count: Int, to out: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let byte = text[index]
        guard byte >= 0x80 else {
            index += 1
            return writeEscape(byte, to: out)
        }
        let length = JSONText.multiByteLength(text, index, count)
        if length == 0 { return -1 }
        for offset in 0..<length { out[offset] = text[index + offset] }
        index += length
        return length
    }

    static func writeEscape(_ byte: UInt8, to out: UnsafeMutablePointer<UInt8>) -> Int {
        let short = shortEscape(byte)
        out[0] = 0x5C
        if short != 0 {
            out[1] = short
            return 2
        }
        out[1] = 0x75
        out[2] = 0x30
        out[3] = 0x30
        out[4] = 0x30 + byte >> 4
        let low = byte & 0xF
        out[5] = low < 10 ? 0x30 + low : 0x61 + low - 10
        return 6
    }

    /// What stands behind the backslash for a byte that must be escaped, or 0 where the long form is needed.
    @inline(__always)
    private static func shortEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x08: 0x62
        case 0x09: 0x74
        case 0x0A: 0x6E
        case 0x0C: 0x66
        case 0x0D: 0x72
        case 0..<0x20: 0
        default: byte
        }
    }

    /// The length that ``writeText(_:_:to:)`` will return, or -1.
    static func encodedLength(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var index = 0
        var length = 0
        while true {
            let next = JSONText.skipPlain(text, index, count)
            length += next - index
            index = next
            if index == count { return length }
            let byte = text[index]
            if byte >= 0x80 {
                let step = JSONText.multiByteLength(text, index, count)
                if step == 0 { return -1 }
                index += step
                length += step
            } else {
                index += 1
                length += shortEscape(byte) == 0 ? 6 : 2
            }
        }
    }

    /// The length of `count` bytes in base64 with padding.
    @inline(__always)
    static func base64Length(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Writes bytes in base64 (RFC 4648, section 4) and returns the length of the text.
    static func writeBase64(_ bytes: UnsafePointer<UInt8>, _ count: Int, to out: UnsafeMutablePointer<UInt8>) -> Int {
        let pairs = base64Pairs
        var index = 0
        var written = 0
        while index + 3 <= count {
            let value = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            let text = UInt32(pairs[value >> 12]) | UInt32(pairs[value & 0xFFF]) << 16
            UnsafeMutableRawPointer(out + written).storeBytes(of: text, as: UInt32.self)
            index += 3
            written += 4
        }
        guard index < count else { return written }
        let isPair = index + 1 < count
        let value = Int(bytes[index]) << 16 | (isPair ? Int(bytes[index + 1]) << 8 : 0)
        let text = UInt32(pairs[value >> 12]) | UInt32(pairs[value & 0xFFF]) << 16
        UnsafeMutableRawPointer(out + written).storeBytes(of: text, as: UInt32.self)
        out[written + 3] = UInt8(ascii: "=")
        if !isPair { out[written + 2] = UInt8(ascii: "=") }
        return written + 4
    }

    /// The two base64 characters of each group of twelve bits, the first in the low byte. Never freed.
    nonisolated(unsafe) static let base64Pairs: UnsafePointer<UInt16> = {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let pairs = UnsafeMutablePointer<UInt16>.allocate(capacity: 4096)
        for value in 0..<4096 {
            pairs[value] = UInt16(alphabet[value >> 6]) | UInt16(alphabet[value & 63]) << 8
        }
        return UnsafePointer(pairs)
    }()

    /// Writes an integer in decimal digits, at most 20 bytes, and returns the length.
    @inline(__always)
    static func writeInteger(_ value: Int64, to out: UnsafeMutablePointer<UInt8>) -> Int {
        var start = 0
        if value < 0 {
            out[0] = 0x2D
            start = 1
        }
        let magnitude = value.magnitude
        if magnitude < 10 {
            out[start] = 0x30 + UInt8(truncatingIfNeeded: magnitude)
            return start + 1
        }
        let length = start + decimalDigits(magnitude)
        var rest = magnitude
        var index = length
        while rest >= 10 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            index -= 1
            out[index] = 0x30 + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        out[index - 1] = 0x30 + UInt8(truncatingIfNeeded: rest)
        return length
    }

    @inline(__always)
    private static func decimalDigits(_ value: UInt64) -> Int {
        var digits = 1
        var limit: UInt64 = 10
        while value >= limit {
            digits += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        return digits
    }
}
