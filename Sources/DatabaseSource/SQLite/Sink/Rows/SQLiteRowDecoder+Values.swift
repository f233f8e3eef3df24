internal import BackupCore
import Glibc

extension SQLiteRowDecoder {
    /// Reads the value at `start` into `cell`; returns the index behind it.
    @inline(__always)
    func decodeValue(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ column: Int, _ form: Column.Form,
        _ cell: UnsafeMutablePointer<SQLiteCell>, _ cells: UnsafeMutablePointer<SQLiteCell>
    ) throws(BackupError) -> Int {
        if form == .value {
            let byte = text[start]
            if byte == 0x22 {
                guard let (length, next) = SQLiteText.unescape(text, start, end) else {
                    throw malformedValue(cells, column)
                }
                cell.pointee.set(.text, text + start + 1, length)
                return next
            }
            if byte &- 0x31 < 9 || byte == 0x2D {
                // Up to 18 digits cannot overflow; whatever is not such an integer goes the long way.
                var index = byte == 0x2D ? start + 1 : start
                let first = index
                var value: Int64 = 0
                while index < end, text[index] &- 0x30 < 10, index - first < 18 {
                    value = value &* 10 &+ Int64(text[index] &- 0x30)
                    index += 1
                }
                if index < end, index > first, text[first] != 0x30, text[index] == 0x2C || text[index] == 0x7D {
                    cell.pointee.set(byte == 0x2D ? -value : value)
                    return index
                }
            }
        }
        let next = decodeAnyValue(text, start, end, form, cell)
        if next < 0 { throw malformedValue(cells, column) }
        return next
    }

    /// The same for every form and kind of value; negative where the value cannot stand there.
    @inline(never)
    private func decodeAnyValue(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ form: Column.Form,
        _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Int {
        let start = JSONText.skipWhitespace(text, start, end)
        guard start < end else { return -1 }
        let byte = text[start]
        if byte == 0x6E {
            cell.pointee.kind = .null
            return form == .rowid ? -1 : JSONText.skipLiteral("null", text, start, end)
        }
        if byte == 0x7B { return decodeObject(text, start, end, form, cell) }
        if form == .json {
            let next = JSONText.skipValue(text, start, end, depth: 512)
            if next >= 0 { cell.pointee.set(.text, text + start, next - start) }
            return next
        }
        switch byte {
        case 0x22: return decodeString(text, start, end, form, cell)
        case 0x74, 0x66:
            if form == .rowid { return -1 }
            let next = JSONText.skipLiteral(byte == 0x74 ? "true" : "false", text, start, end)
            if next < 0 { return next }
            if form == .foreignLetter {
                text[start] = byte & 0xDF
                cell.pointee.set(.text, text + start, 1)
            } else {
                cell.pointee.set(Int64(byte == 0x74 ? 1 : 0))
            }
            return next
        case 0x5B: return decodeForeignJSON(text, start, end, cell)
        default: return decodeNumber(text, start, end, form, cell)
        }
    }

    private func decodeString(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ form: Column.Form,
        _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Int {
        guard form != .rowid, let (length, next) = SQLiteText.unescape(text, start, end) else { return -1 }
        let content = text + start + 1
        if form == .bytes || form == .foreignBytes && SQLiteText.isBase64(content, length, digits) {
            guard let count = SQLiteText.decodeBase64(content, length, to: content, digits) else { return -1 }
            cell.pointee.set(.blob, content, count)
        } else {
            cell.pointee.set(.text, content, length)
        }
        return next
    }

    private func decodeNumber(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ form: Column.Form,
        _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Int {
        if isForeign, let next = decodeNonFinite(text, start, end, cell) { return next }
        let next = JSONText.skipNumber(text, start, end)
        if next < 0 { return next }
        let digitsEnd = JSONText.skipDigits(text, text[start] == 0x2D ? start + 1 : start, next)
        if digitsEnd == next {
            if let value = SQLiteText.integer(text, start, next) {
                cell.pointee.set(value)
            } else if isForeign {
                // Digits beyond 64 bits stay as they are written; the column's affinity decides.
                cell.pointee.set(.text, text + start, next - start)
            } else {
                return -1
            }
            return next
        }
        if form == .digits {
            cell.pointee.set(.text, text + start, next - start)
            return next
        }
        guard form != .rowid, let value = SQLiteText.real(text, start, next) else { return -1 }
        cell.pointee.set(value)
        return next
    }

    /// What Python's `json` writes for numbers that are not finite. SQLite has no NaN: it stores null.
    private func decodeNonFinite(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Int? {
        if text[start] == 0x4E {
            cell.pointee.kind = .null
            return JSONText.skipLiteral("NaN", text, start, end)
        }
        let isNegative = text[start] == 0x2D
        let word = isNegative ? start + 1 : start
        guard word < end, text[word] == 0x49 else { return nil }
        cell.pointee.set(isNegative ? -Double.infinity : Double.infinity)
        return JSONText.skipLiteral("Infinity", text, word, end)
    }

    private func decodeForeignJSON(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Int {
        guard isForeign else { return -1 }
        let next = JSONText.skipValue(text, start, end, depth: 512, leniency: .nonFiniteNumbers)
        if next < 0 { return next }
        let length = SQLiteText.compact(text, start, next) - start
        cell.pointee.set(.text, text + start, length)
        return next
    }

    /// A tagged value, or where the column takes any JSON, that.
    private func decodeObject(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ form: Column.Form,
        _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Int {
        if isForeign { return decodeForeignJSON(text, start, end, cell) }
        if form == .rowid { return -1 }
        guard let tagged = TaggedValue(text, start, end) else {
            guard form == .json else { return -1 }
            let next = JSONText.skipValue(text, start, end, depth: 512)
            if next >= 0 { cell.pointee.set(.text, text + start, next - start) }
            return next
        }
        guard let (length, _) = SQLiteText.unescape(text, tagged.value, end) else { return -1 }
        let content = tagged.value + 1
        // NaN there is in PostgreSQL alone.
        let isText =
            tagged.tag == .real && (form == .digits || !conversions.isEmpty && length == 3 && text[content] == 0x4E)
        let tag = isText ? .string : tagged.tag
        return decodeTagged(tag, text, start, content, length, cell) ? tagged.next : -1
    }

    private func decodeTagged(
        _ tag: ValueTag, _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ content: Int, _ length: Int,
        _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Bool {
        switch tag {
        case .string:
            cell.pointee.set(.text, text + content, length)
        case .integer:
            guard let value = SQLiteText.integer(text, content, content + length) else { return false }
            cell.pointee.set(value)
        case .real:
            let isNegative = length > 0 && text[content] == 0x2D
            if length == (isNegative ? 9 : 8),
                JSONText.skipLiteral("Infinity", text, content + length - 8, content + length) >= 0
            {
                cell.pointee.set(isNegative ? -Double.infinity : Double.infinity)
            } else {
                guard let value = SQLiteText.real(text, content, content + length) else { return false }
                cell.pointee.set(value)
            }
        case .bytes:
            guard let count = SQLiteText.decodeBase64(text + content, length, to: text + content, digits) else {
                return false
            }
            cell.pointee.set(.blob, text + content, count)
        case .text:
            return decodeRawText(text, start, content, length, cell)
        }
        return true
    }

    private func decodeRawText(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ content: Int, _ length: Int,
        _ cell: UnsafeMutablePointer<SQLiteCell>
    ) -> Bool {
        // SQLite takes a leading byte order mark off UTF-16 text that is bound. So each gets one more, in the room of
        // the tag before it.
        let mark = isUTF16 ? 2 : 0
        let target = text + start
        guard let count = SQLiteText.decodeBase64(text + content, length, to: target + mark, digits) else {
            return false
        }
        if isUTF16 {
            guard count % 2 == 0 else { return false }
            target[0] = 0xFF
            target[1] = 0xFE
        }
        cell.pointee.set(isUTF16 ? .text16 : .text, target, count + mark)
        return true
    }
}

/// An object with one key that is a ``ValueTag`` and a string for its value.
private struct TaggedValue {
    let tag: ValueTag
    /// Where the string's opening quote stands.
    let value: Int
    /// The index behind the object.
    let next: Int

    init?(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) {
        let key = JSONText.skipWhitespace(text, start + 1, end)
        guard key + 1 < end, text[key] == 0x22, text[key + 1] == 0x24 else { return nil }
        let keyEnd = JSONText.skipString(text, key, end)
        guard keyEnd >= 0, let tag = TaggedValue.tag(text, key + 1, keyEnd - 1) else { return nil }
        let colon = JSONText.skipWhitespace(text, keyEnd, end)
        guard colon < end, text[colon] == 0x3A else { return nil }
        let value = JSONText.skipWhitespace(text, colon + 1, end)
        let valueEnd = JSONText.skipString(text, value, end)
        guard valueEnd >= 0 else { return nil }
        let close = JSONText.skipWhitespace(text, valueEnd, end)
        guard close < end, text[close] == 0x7D else { return nil }
        self.tag = tag
        self.value = value
        next = close + 1
    }

    private static func tag(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> ValueTag? {
        func isTag(_ name: StaticString) -> Bool {
            name.utf8CodeUnitCount == end - start && memcmp(name.utf8Start, text + start, end - start) == 0
        }
        if isTag("$bytes") { return .bytes }
        if isTag("$string") { return .string }
        if isTag("$text") { return .text }
        if isTag("$integer") { return .integer }
        if isTag("$real") { return .real }
        return nil
    }
}
