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
            /// A floating-point number of PostgreSQL's into a column of text: its digits.
            case digits
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
    let isUTF16: Bool
    /// For columns of another engine, whose values must not become others.
    let conversions: [SQLiteConversion]
    private let keys: UnsafeMutablePointer<Key>
    private let keyText: UnsafeMutablePointer<UInt8>
    let digits: UnsafeMutablePointer<UInt8>

    init(
        table: String, columns: [Column], isForeign: Bool, isUTF16: Bool, conversions: [SQLiteConversion] = []
    ) {
        self.table = table
        self.columns = columns
        self.isForeign = isForeign
        self.isUTF16 = isUTF16
        self.conversions = conversions
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
            if !conversions.isEmpty { try convert(cells) }
            rows.rowCount += 1
        }
    }

    @inline(never)
    private func convert(_ cells: UnsafeMutablePointer<SQLiteCell>) throws(BackupError) {
        for conversion in conversions {
            do {
                try conversion.apply(&cells[conversion.index])
            } catch {
                throw BackupError(error.code, error.message, location: location(cells))
            }
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
    func malformedValue(_ cells: UnsafeMutablePointer<SQLiteCell>, _ column: Int) -> BackupError {
        // The first cell may be the very one that could not be read.
        if column == 0 { cells[0] = .absent }
        return malformed(cells, "the value of \"\(columns[column].name)\" cannot stand in this column")
    }
}
