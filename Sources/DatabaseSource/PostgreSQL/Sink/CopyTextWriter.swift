internal import BackupCore
internal import CBytes

/// Writes JSON values as values of COPY's text form.
///
/// Sixteen bytes are read and written at once: so many behind the text must be readable, and so many behind what is
/// written writable.
struct CopyTextWriter: Sendable {
    /// How the values of a column are read.
    struct Form: Sendable {
        /// What stands plainly means.
        var encoding: ColumnEncoding
        /// Whether the target's column holds integers: truth then comes as 1 and 0.
        var isInteger: Bool
        /// From an archive without schema: what stands plainly says nothing of its meaning.
        var isForeign: Bool
        /// Whether the target's column holds byte strings, and the archive is of a known engine.
        var takesBytes = false
        /// Whether the target's text has no encoding that it must be valid in.
        var takesAnyText = false
    }

    enum Outcome {
        /// The index behind the value.
        case next(Int)
        case malformed
        /// The value holds U+0000.
        case hasZero
        /// A byte string for a column of another type, or text for one of byte strings.
        case isOfOtherKind
        /// Bytes that are no text, for a database whose text has an encoding.
        case isNoText
    }

    typealias Text = UnsafePointer<UInt8>
    typealias Output = UnsafeMutablePointer<UInt8>

    @inline(__always)
    func put(_ byte: UInt8, _ out: inout Output) {
        out[0] = byte
        out += 1
    }

    private func put(_ text: StaticString, _ out: inout Output) {
        for index in 0..<text.utf8CodeUnitCount { put(text.utf8Start[index], &out) }
    }

    private func copy(_ text: Text, _ start: Int, _ end: Int, _ out: inout Output) {
        out.update(from: text + start, count: end - start)
        out += end - start
    }

    /// Writes the value at `start`.
    @inline(__always)
    func write(
        _ text: Text, _ start: Int, _ end: Int, _ form: Form, _ out: inout Output
    ) -> Outcome {
        let byte = text[start]
        if byte == 0x22, form.encoding == .value || form.encoding == .boolean, !form.takesBytes {
            return writeString(text, start, end, &out)
        }
        if byte &- 0x30 < 10 || byte == 0x2D && text[start + 1] != 0x49, !form.takesBytes {
            return writeNumber(text, start, end, &out)
        }
        return writeAny(text, start, end, form, &out)
    }

    @inline(__always)
    private func writeNumber(_ text: Text, _ start: Int, _ end: Int, _ out: inout Output) -> Outcome {
        // Most are a few digits and nothing else.
        let digits = eb_copy_and_find_other_than_digits(out, text + start).trailingZeroBitCount
        if digits > 0, digits < 16, start + digits < end, text[start] != 0x30 || digits == 1,
            text[start + digits] == 0x2C || text[start + digits] == 0x7D
        {
            out += digits
            return .next(start + digits)
        }
        let next = JSONText.skipNumber(text, start, end)
        if next < 0 { return .malformed }
        copy(text, start, next, &out)
        return .next(next)
    }

    @inline(never)
    private func writeAny(
        _ text: Text, _ start: Int, _ end: Int, _ form: Form, _ out: inout Output
    ) -> Outcome {
        let byte = text[start]
        if form.takesBytes, byte != 0x6E, byte != 0x7B, byte != 0x22 || form.encoding != .bytes {
            return .isOfOtherKind
        }
        switch byte {
        case 0x6E:
            put("\\N", &out)
            return outcome(JSONText.skipLiteral("null", text, start, end))
        case 0x22:
            if form.encoding == .json { return writeJSON(text, start, end, &out) }
            if !form.isForeign, !form.takesBytes { return .isOfOtherKind }
            return writeBytes(text, start, end, isCertain: !form.isForeign, &out)
        case 0x74, 0x66:
            let isTrue = text[start] == 0x74
            let next = JSONText.skipLiteral(isTrue ? "true" : "false", text, start, end)
            if next < 0 { return .malformed }
            if form.isInteger { put(isTrue ? 0x31 : 0x30, &out) } else { copy(text, start, next, &out) }
            return .next(next)
        case 0x7B:
            if !form.isForeign, let tagged = tag(text, start, end) {
                return writeTagged(tagged, text, end, form, &out)
            }
            fallthrough
        case 0x5B:
            if form.takesBytes { return .isOfOtherKind }
            guard form.isForeign || form.encoding == .json else { return .malformed }
            return writeJSON(text, start, end, &out)
        default:
            guard form.isForeign else { return .malformed }
            // NaN and infinities, which Python writes and PostgreSQL reads.
            let next = JSONText.skipValue(text, start, end, depth: 1, leniency: .nonFiniteNumbers)
            if next < 0 { return .malformed }
            copy(text, start, next, &out)
            return .next(next)
        }
    }

    private func outcome(_ next: Int) -> Outcome { next < 0 ? .malformed : .next(next) }

    // MARK: Text

    /// Writes what a JSON string holds.
    @inline(__always)
    func writeString(_ text: Text, _ start: Int, _ end: Int, _ out: inout Output) -> Outcome {
        var index = start + 1
        while index < end {
            let stops = eb_copy_and_find_special(out, text + index)
            let plain = stops == 0 ? 16 : stops.trailingZeroBitCount
            index += plain
            out += plain
            if stops == 0 { continue }
            guard index < end else { return .malformed }
            let byte = text[index]
            if byte == 0x22 { return .next(index + 1) }
            if byte >= 0x80 {
                let length = JSONText.multiByteLength(text, index, end)
                if length == 0 { return .malformed }
                copy(text, index, index + length, &out)
                index += length
            } else if byte == 0x5C {
                switch writeEscape(text, index, end, &out) {
                case .next(let next): index = next
                case let other: return other
                }
            } else {
                return .malformed
            }
        }
        return .malformed
    }

    /// Writes the character that a JSON escape stands for.
    @inline(__always)
    private func writeEscape(_ text: Text, _ index: Int, _ end: Int, _ out: inout Output) -> Outcome {
        guard index + 1 < end else { return .malformed }
        switch text[index + 1] {
        case 0x6E, 0x74, 0x72, 0x62, 0x66, 0x5C:
            // The same in both.
            put(0x5C, &out)
            put(text[index + 1], &out)
            return .next(index + 2)
        case 0x22, 0x2F:
            put(text[index + 1], &out)
            return .next(index + 2)
        case 0x75: return writeUnicode(text, index, end, &out)
        default: return .malformed
        }
    }

    private func writeUnicode(_ text: Text, _ index: Int, _ end: Int, _ out: inout Output) -> Outcome {
        var value = JSONText.hexadecimalUnit(text, index + 2, end)
        var next = index + 6
        guard value >= 0 else { return .malformed }
        if value == 0 { return .hasZero }
        if value & 0xFC00 == 0xD800 {
            guard next + 6 <= end, text[next] == 0x5C, text[next + 1] == 0x75 else { return .malformed }
            let low = JSONText.hexadecimalUnit(text, next + 2, end)
            guard low >= 0, low & 0xFC00 == 0xDC00 else { return .malformed }
            value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
            next += 6
        }
        guard let scalar = Unicode.Scalar(UInt32(value)) else { return .malformed }
        for byte in UTF8.encode(scalar).map({ Array($0) }) ?? [] { putEscaped(byte, &out) }
        return .next(next)
    }

    /// Writes a byte of a value as COPY wants it.
    @inline(__always)
    private func putEscaped(_ byte: UInt8, _ out: inout Output) {
        switch byte {
        case 0x09: put("\\t", &out)
        case 0x0A: put("\\n", &out)
        case 0x0D: put("\\r", &out)
        case 0x5C: put("\\\\", &out)
        default: put(byte, &out)
        }
    }

    // MARK: JSON

    /// Writes a JSON value as its own text.
    private func writeJSON(_ text: Text, _ start: Int, _ end: Int, _ out: inout Output) -> Outcome {
        let next = JSONText.skipValue(text, start, end, depth: 512)
        if next < 0 { return .malformed }
        for index in start..<next { putEscaped(text[index], &out) }
        return .next(next)
    }

    // MARK: Bytes

    /// Writes a base64 string as the byte string that it stands for.
    ///
    /// - Parameter isCertain: whether it is base64; else it may be text that PostgreSQL is to make sense of.
    private func writeBytes(
        _ text: Text, _ start: Int, _ end: Int, isCertain: Bool, _ out: inout Output
    ) -> Outcome {
        let begin = out
        let next = JSONText.skipString(text, start, end)
        if next < 0 { return .malformed }
        put("\\\\x", &out)
        let isBase64 = Base64Reader.read(text + start + 1, next - start - 2) { byte in
            let digits: StaticString = "0123456789abcdef"
            put(digits.utf8Start[Int(byte >> 4)], &out)
            put(digits.utf8Start[Int(byte & 15)], &out)
        }
        if isBase64 { return .next(next) }
        if isCertain { return .malformed }
        out = begin
        return writeString(text, start, end, &out)
    }

    // MARK: Tagged values

    private struct Tagged {
        var tag: ValueTag
        /// Where the string's opening quote stands.
        var value: Int
        /// The index behind the object.
        var next: Int
    }

    private func tag(_ text: Text, _ start: Int, _ end: Int) -> Tagged? {
        let key = JSONText.skipWhitespace(text, start + 1, end)
        guard key + 1 < end, text[key] == 0x22, text[key + 1] == 0x24 else { return nil }
        let keyEnd = JSONText.skipString(text, key, end)
        guard keyEnd >= 0, let tag = ValueTag(rawValue: string(text, key, keyEnd)) else { return nil }
        let colon = JSONText.skipWhitespace(text, keyEnd, end)
        guard colon < end, text[colon] == 0x3A else { return nil }
        let value = JSONText.skipWhitespace(text, colon + 1, end)
        let valueEnd = JSONText.skipString(text, value, end)
        guard valueEnd >= 0 else { return nil }
        let close = JSONText.skipWhitespace(text, valueEnd, end)
        guard close < end, text[close] == 0x7D else { return nil }
        return Tagged(tag: tag, value: value, next: close + 1)
    }

    private func writeTagged(
        _ tagged: Tagged, _ text: Text, _ end: Int, _ form: Form, _ out: inout Output
    ) -> Outcome {
        if (tagged.tag == .bytes) != form.takesBytes { return .isOfOtherKind }
        switch tagged.tag {
        case .string, .integer, .real:
            switch writeString(text, tagged.value, end, &out) {
            case .next: return .next(tagged.next)
            case let other: return other
            }
        case .bytes:
            switch writeBytes(text, tagged.value, end, isCertain: true, &out) {
            case .next: return .next(tagged.next)
            case let other: return other
            }
        case .text:
            guard form.takesAnyText else { return .isNoText }
            let valueEnd = JSONText.skipString(text, tagged.value, end)
            var hasZero = false
            let isBase64 = Base64Reader.read(text + tagged.value + 1, valueEnd - tagged.value - 2) { byte in
                hasZero = hasZero || byte == 0
                putEscaped(byte, &out)
            }
            return isBase64 ? hasZero ? .hasZero : .next(tagged.next) : .malformed
        }
    }

    /// The text of a JSON string, for names and errors.
    func string(_ text: Text, _ start: Int, _ end: Int) -> String {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * (end - start) + 16)
        defer { bytes.deallocate() }
        var out = bytes
        guard case .next = writeString(text, start, end, &out) else { return "" }
        // What COPY escapes is taken back: names are short and this is rare.
        var plain: [UInt8] = []
        var index = 0
        while index < out - bytes {
            if bytes[index] == 0x5C {
                index += 1
                switch bytes[index] {
                case 0x6E: plain.append(0x0A)
                case 0x74: plain.append(0x09)
                case 0x72: plain.append(0x0D)
                case 0x62: plain.append(0x08)
                case 0x66: plain.append(0x0C)
                default: plain.append(bytes[index])
                }
            } else {
                plain.append(bytes[index])
            }
            index += 1
        }
        return String(decoding: plain, as: UTF8.self)
    }
}

/// Reads base64 (RFC 4648, section 4, with padding), a byte at a time.
enum Base64Reader {
    /// - Returns: whether all of it was base64; what was handed on before a fault is of no use then.
    @inline(__always)
    static func read(_ text: UnsafePointer<UInt8>, _ count: Int, _ take: (UInt8) -> Void) -> Bool {
        guard count % 4 == 0 else { return false }
        var index = 0
        while index < count {
            let isLast = index + 4 == count
            let padding = isLast ? (text[index + 3] == 0x3D ? (text[index + 2] == 0x3D ? 2 : 1) : 0) : 0
            var value = 0
            for offset in 0..<4 {
                let digit = offset >= 4 - padding ? 0 : values[Int(text[index + offset])]
                if digit > 63 { return false }
                value = value << 6 | Int(digit)
            }
            take(UInt8(truncatingIfNeeded: value >> 16))
            if padding < 2 { take(UInt8(truncatingIfNeeded: value >> 8)) }
            if padding < 1 { take(UInt8(truncatingIfNeeded: value)) }
            index += 4
        }
        return true
    }

    /// The value of each character, 255 for those that are none. Never freed.
    nonisolated(unsafe) private static let values: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: 255, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, character) in alphabet.utf8.enumerated() { table[Int(character)] = UInt8(value) }
        return UnsafePointer(table)
    }()
}
