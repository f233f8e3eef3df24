internal import BackupCore
internal import CBytes

extension CopyTextEncoder {
    // MARK: Strings

    /// Writes a value as the rest of a JSON string, whose quote is there already; where it is not UTF-8, as a tagged one.
    ///
    /// - Parameter opening: the length of what the string began with, which a tag takes the place of.
    @inline(__always)
    func writeText(
        _ row: UnsafePointer<UInt8>, _ start: Int, _ count: Int, opening: Int, closing: StaticString,
        _ out: inout Output
    ) -> Int {
        let begin = out
        var index = start
        while true {
            // The line break at the row's end ends this.
            let stops = eb_copy_and_find_special(out, row + index)
            if stops == 0 {
                index += 16
                out += 16
                continue
            }
            let plain = stops.trailingZeroBitCount
            index += plain
            out += plain
            let byte = row[index]
            if byte == 0x09 || byte == 0x0A {
                CopyTextEncoder.put(closing, &out)
                return index
            }
            let next = CopyTextEncoder.writeSpecial(row, index, count, &out)
            if next == CopyTextEncoder.notUTF8 {
                out = begin - opening
                return CopyTextEncoder.writeBrokenText(row, start, count, &out)
            }
            if next < 0 { return -1 }
            index = next
        }
    }

    private static var notUTF8: Int { -2 }

    /// Writes the character at `index`, which is no plain one; returns the index behind it, -1 or ``notUTF8``.
    @inline(__always)
    private static func writeSpecial(
        _ row: UnsafePointer<UInt8>, _ index: Int, _ count: Int, _ out: inout Output
    ) -> Int {
        let byte = row[index]
        if byte >= 0x80 {
            let length = JSONText.multiByteLength(row, index, count)
            if length == 0 { return notUTF8 }
            for offset in 0..<length { out[offset] = row[index + offset] }
            out += length
            return index + length
        }
        guard byte == 0x5C else {
            out += JSONTextWriter.writeEscape(byte, to: out)
            return index + 1
        }
        switch row[index + 1] {
        case 0x5C, 0x6E, 0x74, 0x72, 0x62, 0x66:
            // Backslash, \n, \t, \r, \b and \f are the same in both.
            out[0] = 0x5C
            out[1] = row[index + 1]
            out += 2
        case 0x76: out += JSONTextWriter.writeEscape(0x0B, to: out)
        default: return -1
        }
        return index + 2
    }

    /// Text that is not UTF-8 (of a database without an encoding): its bytes. Rare, so it may allocate.
    @inline(never)
    private static func writeBrokenText(
        _ row: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ out: inout Output
    ) -> Int {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
        defer { bytes.deallocate() }
        var length = 0
        let next = unescape(row, start, to: bytes, &length)
        if next < 0 { return -1 }
        put("{\"$text\":\"", &out)
        out += JSONTextWriter.writeBase64(bytes, length, to: out)
        put("\"}", &out)
        return next
    }

    /// Takes the escapes of COPY off a value; returns the index of the tab or line break behind it, or -1.
    @inline(__always)
    private static func unescape(
        _ row: UnsafePointer<UInt8>, _ start: Int, to out: Output, _ length: inout Int
    ) -> Int {
        var index = start
        var written = 0
        while true {
            let byte = row[index]
            if byte == 0x5C {
                let character = unescaped(row[index + 1])
                if character == 0 { return -1 }
                out[written] = character
                index += 2
            } else {
                if byte == 0x09 || byte == 0x0A { break }
                out[written] = byte
                index += 1
            }
            written += 1
        }
        length = written
        return index
    }

    @inline(__always)
    private static func unescaped(_ letter: UInt8) -> UInt8 {
        switch letter {
        case 0x5C: 0x5C
        case 0x6E: 0x0A
        case 0x74: 0x09
        case 0x72: 0x0D
        case 0x62: 0x08
        case 0x66: 0x0C
        case 0x76: 0x0B
        default: 0
        }
    }

    // MARK: JSON

    /// Writes JSON text as the value that it is, where readers can be trusted with it, else as a tagged string.
    @inline(never)
    func writeJSON(_ row: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ out: inout Output) -> Int {
        var length = 0
        let next = CopyTextEncoder.unescape(row, start, to: out, &length)
        if next < 0 { return -1 }
        if NestedJSON.isSafe(out, length) {
            out += length
            return next
        }
        let opening: StaticString = "{\"$string\":\""
        CopyTextEncoder.put(opening, &out)
        return writeText(row, start, count, opening: opening.utf8CodeUnitCount, closing: "\"}", &out)
    }

    // MARK: Byte strings

    /// Writes what COPY shows as `\\x` and hexadecimal digits in base64.
    @inline(never)
    static func writeBytes(
        _ row: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ out: inout Output
    ) -> Int {
        guard start + 3 < count, row[start] == 0x5C, row[start + 1] == 0x5C, row[start + 2] == 0x78 else { return -1 }
        let pairs = JSONTextWriter.base64Pairs
        let nibbles = CopyTextEncoder.nibbles
        put("\"", &out)
        var index = start + 3
        // Six digits are three bytes are four characters.
        while index + 6 < count {
            var value: UInt32 = 0
            var bad: UInt32 = 0
            for offset in 0..<6 {
                let nibble = UInt32(nibbles[Int(row[index + offset])])
                bad |= nibble
                value = value << 4 | nibble & 15
            }
            if bad > 15 { break }
            let text = UInt32(pairs[Int(value >> 12)]) | UInt32(pairs[Int(value & 0xFFF)]) << 16
            UnsafeMutableRawPointer(out).storeBytes(of: text, as: UInt32.self)
            out += 4
            index += 6
        }
        // At most two bytes are left.
        let bytes = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { buffer -> Int in
            guard let rest = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return -1 }
            var length = 0
            while row[index] != 0x09, row[index] != 0x0A {
                let (high, low) = (nibbles[Int(row[index])], nibbles[Int(row[index + 1])])
                guard high < 16, low < 16, length < 3 else { return -1 }
                rest[length] = high << 4 | low
                length += 1
                index += 2
            }
            out += JSONTextWriter.writeBase64(rest, length, to: out)
            return length
        }
        if bytes < 0 { return -1 }
        put("\"", &out)
        return index
    }

    /// The value of each hexadecimal digit, 255 for all other bytes. Never freed.
    nonisolated(unsafe) private static let nibbles: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: 255, count: 256)
        for (value, digit) in "0123456789abcdef".utf8.enumerated() { table[Int(digit)] = UInt8(value) }
        for (value, digit) in "ABCDEF".utf8.enumerated() { table[Int(digit)] = UInt8(value + 10) }
        return UnsafePointer(table)
    }()
}
