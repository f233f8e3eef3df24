internal import BackupCore
import Glibc

/// Turns row objects into cells (`docs/archive-format.md`, "Values"). Immutable, so that many threads may use it.
final class SQLiteRowDecoder: @unchecked Sendable {
    /// One key of the row objects.
    struct Column {
        /// How a value that stands plainly is read.
        enum Form: UInt8 {
            case value
            case json
            case bytes
            /// The hidden row number: an integer and nothing else.
            case rowid
            /// From an archive without schema, into a column that is declared to hold byte strings.
            case foreignBytes
            /// From an archive without schema, into a CHAR(1) column: truth as `T` and `F`.
            case foreignLetter
            /// From an archive without schema, into any other column.
            case foreign
        }

        var name: String
        var form: Form
    }

    private struct Key {
        /// `{"name":` for the first column, `,"name":` for the others.
        var start: UnsafePointer<UInt8>
        var length: Int
        var form: Column.Form
    }

    let table: String
    let columns: [Column]
    let isForeign: Bool
    private let isUTF16: Bool
    private let keys: UnsafeMutablePointer<Key>
    private let keyText: UnsafeMutablePointer<UInt8>
    let digits: UnsafeMutablePointer<UInt8>

    init(table: String, columns: [Column], isForeign: Bool, isUTF16: Bool) {
        self.table = table
        self.columns = columns
        self.isForeign = isForeign
        self.isUTF16 = isUTF16
        var text: [UInt8] = []
        var places: [(Int, Int)] = []
        for (index, column) in columns.enumerated() {
            let start = text.count
            text.append(index == 0 ? 0x7B : 0x2C)
            SQLiteRowDecoder.appendQuoted(column.name, to: &text)
            text.append(0x3A)
            places.append((start, text.count - start))
        }
        keyText = .allocate(capacity: text.count)
        keyText.initialize(from: text, count: text.count)
        keys = .allocate(capacity: columns.count)
        for (index, place) in places.enumerated() {
            keys[index] = Key(start: keyText + place.0, length: place.1, form: columns[index].form)
        }
        digits = .allocate(capacity: 256)
        digits.initialize(from: SQLiteText.base64Digits, count: 256)
    }

    deinit {
        keys.deallocate()
        keyText.deallocate()
        digits.deallocate()
    }

    /// A name as the JSON string that an archive usually writes; another spelling is found on the slow path.
    private static func appendQuoted(_ name: String, to text: inout [UInt8]) {
        text.append(0x22)
        for byte in name.utf8 {
            if byte == 0x22 || byte == 0x5C { text.append(0x5C) }
            text.append(byte)
        }
        text.append(0x22)
    }

    func decode(_ batch: RowBatch, into rows: SQLiteDecodedRows) throws(BackupError) {
        rows.reset(rows: batch.rowCount)
        let text = batch.bytes.assumingMemoryBound(to: UInt8.self)
        for span in batch.rows {
            let cells = rows.row(rows.rowCount)
            try decodeRow(text, Int(span.start), Int(span.end), cells)
            rows.rowCount += 1
        }
    }

    @inline(__always)
    private func decodeRow(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, _ cells: UnsafeMutablePointer<SQLiteCell>
    ) throws(BackupError) {
        var index = start
        let count = columns.count
        // What errors name the row by: nothing yet.
        cells[0] = .absent
        for column in 0..<count {
            let key = keys[column]
            guard index + key.length < end, memcmp(text + index, key.start, key.length) == 0 else {
                return try decodeSlowly(text, start, index, end, cells, from: column)
            }
            index = try decodeValue(text, index + key.length, end, column, key.form, cells + column, cells)
        }
        guard index + 1 == end, text[index] == 0x7D else {
            return try decodeSlowly(text, start, index, end, cells, from: count)
        }
    }

    /// Goes on with a row whose keys do not come as expected: in another order, spaced or spelled in another way.
    @inline(never)
    private func decodeSlowly(
        _ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ from: Int, _ end: Int,
        _ cells: UnsafeMutablePointer<SQLiteCell>, from firstColumn: Int
    ) throws(BackupError) {
        for column in firstColumn..<columns.count { cells[column] = .absent }
        var index = JSONText.skipWhitespace(text, from, end)
        var expected = firstColumn
        var isFirst = index == start
        var unknown: [String] = []
        while true {
            guard index < end else { throw malformed(cells, "it ends early") }
            if isFirst {
                guard text[index] == 0x7B else { throw malformed(cells, "it is not an object") }
                index = JSONText.skipWhitespace(text, index + 1, end)
                isFirst = false
                if index < end, text[index] == 0x7D { break }
            } else {
                if text[index] == 0x7D { break }
                guard text[index] == 0x2C else { throw malformed(cells, "a comma is missing") }
                index = JSONText.skipWhitespace(text, index + 1, end)
            }
            let keyEnd = JSONText.skipString(text, index, end)
            guard keyEnd >= 0 else { throw malformed(cells, "a key is malformed") }
            let column = self.column(text, index, keyEnd, expected: expected)
            if column == nil { unknown.append(SQLiteRowDecoder.string(text, index, keyEnd)) }
            index = JSONText.skipWhitespace(text, keyEnd, end)
            guard index < end, text[index] == 0x3A else { throw malformed(cells, "a colon is missing") }
            index = JSONText.skipWhitespace(text, index + 1, end)
            if let column {
                guard cells[column].kind == .absent else {
                    throw malformed(cells, "the key \"\(columns[column].name)\" is there twice")
                }
                let form = columns[column].form
                index = try decodeValue(text, index, end, column, form, cells + column, cells)
                expected = column + 1
            } else {
                index = JSONText.skipValue(text, index, end, depth: 512, leniency: .nonFiniteNumbers)
                guard index >= 0 else { throw malformed(cells, "a value is malformed") }
            }
            index = JSONText.skipWhitespace(text, index, end)
        }
        guard index + 1 == end else { throw malformed(cells, "something follows it") }
        try checkKeys(cells, unknown)
    }

    private func checkKeys(_ cells: UnsafeMutablePointer<SQLiteCell>, _ unknown: [String]) throws(BackupError) {
        if !unknown.isEmpty {
            let names = unknown.map { "\"\($0)\"" }.joined(separator: ", ")
            guard isForeign else { throw malformed(cells, "it has keys that the table's description lacks: \(names)") }
            throw BackupError(
                .target, "the archive has columns that the target's table lacks: \(names); add them and run again",
                location: location(cells))
        }
        if isForeign { return }
        if let missing = columns.indices.first(where: { cells[$0].kind == .absent }) {
            throw malformed(cells, "the key \"\(columns[missing].name)\" is missing")
        }
    }

    /// The column whose name is the JSON string from `start` to `end`, quotes included.
    private func column(_ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int, expected: Int) -> Int? {
        let length = end - start
        func matches(_ column: Int) -> Bool {
            keys[column].length == length + 2 && memcmp(keys[column].start + 1, text + start, length) == 0
        }
        if expected < columns.count, matches(expected) { return expected }
        if let column = columns.indices.first(where: matches) { return column }
        guard memchr(text + start, 0x5C, length) != nil else { return nil }
        let name = SQLiteRowDecoder.string(text, start, end)
        // Compared as bytes: equality of String takes canonically equivalent names for the same.
        return columns.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }

    private static func string(_ text: UnsafeMutablePointer<UInt8>, _ start: Int, _ end: Int) -> String {
        var copy = Array(UnsafeBufferPointer(start: text + start, count: end - start))
        return copy.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let (length, _) = SQLiteText.unescape(base, 0, buffer.count) else {
                return ""
            }
            return String(decoding: UnsafeBufferPointer(start: base + 1, count: length), as: UTF8.self)
        }
    }

    // MARK: Values

    /// Reads the value at `start` into `cell`; returns the index behind it.
    @inline(__always)
    private func decodeValue(
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
        return decodeTagged(tagged.tag, text, start, content, length, cell) ? tagged.next : -1
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

    // MARK: Errors

    /// Where a row is: its table, and its first value where that is known.
    func location(_ cells: UnsafePointer<SQLiteCell>) -> [String] {
        var places = ["table \"\(table)\""]
        if let first = columns.first, let value = cells[0].shortText {
            places.append("row with \(first.name) \(value)")
        }
        return places
    }

    @inline(never)
    private func malformed(_ cells: UnsafePointer<SQLiteCell>, _ reason: String) -> BackupError {
        BackupError(.damaged, "a row of the archive is malformed: \(reason)", location: location(cells))
    }

    @inline(never)
    private func malformedValue(_ cells: UnsafeMutablePointer<SQLiteCell>, _ column: Int) -> BackupError {
        // The first cell may be the very one that could not be read.
        if column == 0 { cells[0] = .absent }
        return malformed(cells, "the value of \"\(columns[column].name)\" cannot stand in this column")
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
