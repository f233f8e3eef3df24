internal import BackupCore
internal import CNumber

/// Reading of JSON strings and numbers in place: results are written over the text they come from.
enum SQLiteText {
    /// The value of each byte as a base64 digit (RFC 4648, section 4), 255 for what is none.
    static let base64Digits: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, byte) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
            table[Int(byte)] = UInt8(value)
        }
        return table
    }()

    /// Reads the string whose opening quote stands at `start`, and leaves its content, without escapes, behind that
    /// quote. Returns the content's length and the index behind the closing quote; nil where it is not well-formed.
    @inline(__always)
    static func unescape(_ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int) -> (length: Int, next: Int)? {
        var index = start + 1
        while true {
            index = JSONText.skipPlain(text, index, end)
            guard index < end else { return nil }
            let byte = text[index]
            if byte == 0x22 { return (index - start - 1, index + 1) }
            if byte == 0x5C { return unescapeRest(text, start, index, end) }
            if byte < 0x20 { return nil }
            if byte >= 0x80 {
                let length = JSONText.multiByteLength(text, index, end)
                if length == 0 { return nil }
                index += length
            } else {
                index += 1
            }
        }
    }

    /// Goes on from the first escape: from there on bytes move to the front.
    @inline(never)
    private static func unescapeRest(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ first: Int, _ end: Int
    ) -> (length: Int, next: Int)? {
        var read = first
        var write = first
        while read < end {
            let byte = text[read]
            if byte == 0x22 { return (write - start - 1, read + 1) }
            if byte == 0x5C {
                let next = JSONText.skipEscape(text, read, end)
                if next < 0 { return nil }
                write = writeEscape(text, read, write)
                read = next
            } else if byte < 0x20 {
                return nil
            } else {
                let length = byte < 0x80 ? 1 : JSONText.multiByteLength(text, read, end)
                if length == 0 { return nil }
                for offset in 0..<length { text[write + offset] = text[read + offset] }
                read += length
                write += length
            }
        }
        return nil
    }

    /// Writes the character of the valid escape at `read`; returns the index behind it.
    private static func writeEscape(_ text: UnsafeMutablePointer<UInt8>, _ read: Int, _ write: Int) -> Int {
        switch text[read + 1] {
        case 0x62: text[write] = 0x08
        case 0x66: text[write] = 0x0C
        case 0x6E: text[write] = 0x0A
        case 0x72: text[write] = 0x0D
        case 0x74: text[write] = 0x09
        case 0x75: return writeUnit(text, read, write)
        default: text[write] = text[read + 1]
        }
        return write + 1
    }

    private static func writeUnit(_ text: UnsafeMutablePointer<UInt8>, _ read: Int, _ write: Int) -> Int {
        var scalar = JSONText.hexadecimalUnit(text, read + 2, read + 6)
        if scalar & 0xFC00 == 0xD800 {
            let low = JSONText.hexadecimalUnit(text, read + 8, read + 12)
            scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
        }
        if scalar < 0x80 {
            text[write] = UInt8(scalar)
            return write + 1
        }
        let length = scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
        let lead = length == 2 ? 0xC0 : length == 3 ? 0xE0 : 0xF0
        for position in stride(from: length - 1, to: 0, by: -1) {
            text[write + position] = UInt8(0x80 | scalar & 0x3F)
            scalar >>= 6
        }
        text[write] = UInt8(lead | scalar)
        return write + length
    }

    /// Decodes `length` base64 digits, padding included, that stand at `source` to `target`, which may be the same
    /// place or before it. Returns the number of bytes, or nil where it is not base64 in its one canonical form; then
    /// nothing but the bytes before the fault was written.
    static func decodeBase64(
        _ source: UnsafePointer<UInt8>, _ length: Int, to target: UnsafeMutablePointer<UInt8>,
        _ digits: UnsafePointer<UInt8>
    ) -> Int? {
        if length == 0 { return 0 }
        guard length % 4 == 0 else { return nil }
        let padding = source[length - 1] != 0x3D ? 0 : source[length - 2] != 0x3D ? 1 : 2
        let whole = padding == 0 ? length : length - 4
        var read = 0
        var write = 0
        while read < whole {
            let a = digits[Int(source[read])]
            let b = digits[Int(source[read + 1])]
            let c = digits[Int(source[read + 2])]
            let d = digits[Int(source[read + 3])]
            if (a | b | c | d) & 0x80 != 0 { return nil }
            target[write] = a << 2 | b >> 4
            target[write + 1] = b << 4 | c >> 2
            target[write + 2] = c << 6 | d
            read += 4
            write += 3
        }
        if padding == 0 { return write }
        let a = digits[Int(source[read])]
        let b = digits[Int(source[read + 1])]
        let c = padding == 1 ? digits[Int(source[read + 2])] : 0
        let unused = padding == 1 ? c & 0x03 : b & 0x0F
        if (a | b | c) & 0x80 != 0 || unused != 0 { return nil }
        target[write] = a << 2 | b >> 4
        if padding == 1 { target[write + 1] = b << 4 | c >> 2 }
        return write + 3 - padding
    }

    /// Whether `length` bytes are base64 in its one canonical form.
    static func isBase64(_ source: UnsafePointer<UInt8>, _ length: Int, _ digits: UnsafePointer<UInt8>) -> Bool {
        if length == 0 { return true }
        guard length % 4 == 0 else { return false }
        let padding = source[length - 1] != 0x3D ? 0 : source[length - 2] != 0x3D ? 1 : 2
        for index in 0..<length - padding where digits[Int(source[index])] == 255 { return false }
        if padding == 0 { return true }
        let last = digits[Int(source[length - padding - 1])]
        return last & (padding == 1 ? 0x03 : 0x0F) == 0
    }

    /// Removes white space outside strings from a well-formed JSON text, in place. Returns the new end.
    static func compact(_ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var write = start
        var inString = false
        var read = start
        while read < end {
            let byte = text[read]
            if inString {
                if byte == 0x5C {
                    text[write] = byte
                    write += 1
                    read += 1
                } else if byte == 0x22 {
                    inString = false
                }
            } else if byte == 0x22 {
                inString = true
            } else if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                read += 1
                continue
            }
            text[write] = text[read]
            write += 1
            read += 1
        }
        return write
    }

    /// An integer of 64 bits in decimal digits, with an optional minus sign; nil for anything else.
    static func integer(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int64? {
        let negative = start < end && text[start] == 0x2D
        var index = negative ? start + 1 : start
        guard index < end else { return nil }
        var value: Int64 = 0
        while index < end {
            let digit = text[index] &- 0x30
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            // Downwards, because the least integer has no positive counterpart.
            let (difference, underflow) = product.subtractingReportingOverflow(Int64(digit))
            if overflow || underflow { return nil }
            value = difference
            index += 1
        }
        if negative { return value }
        return value == Int64.min ? nil : -value
    }

    /// A decimal number as the nearest double; nil where it is none or outside a double's range.
    static func real(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Double? {
        var value = 0.0
        let characters = UnsafeRawPointer(text + start).assumingMemoryBound(to: CChar.self)
        return eb_parse_double(characters, end - start, &value) == 0 ? value : nil
    }
}
