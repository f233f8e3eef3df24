internal import BackupCore
internal import CBytes

/// Turns row objects into lines of COPY's text form (`docs/archive-format.md`, "Values"). Immutable, so that many
/// threads may use it.
final class PostgreSQLRowDecoder: @unchecked Sendable {
    /// One key of the row objects.
    struct Column {
        var name: String
        /// How a value that stands plainly is read.
        var encoding: ColumnEncoding
        /// Whether the target's column holds integers: truth then comes as 1 and 0.
        var isInteger: Bool
        /// Whether the target's column holds byte strings, and the archive is of a known engine.
        var takesBytes = false
        /// Whether the target's text has no encoding that it must be valid in.
        var takesAnyText = false
        /// Whether the value is written; a row number of another engine is not.
        var isWritten = true
        /// From an archive without schema: what stands plainly says nothing of its meaning.
        var isForeign = false

        var form: CopyTextWriter.Form {
            CopyTextWriter.Form(
                encoding: encoding, isInteger: isInteger, isForeign: isForeign, takesBytes: takesBytes,
                takesAnyText: takesAnyText)
        }
    }

    /// What decides about a column, without anything that is counted.
    private struct Place {
        /// `{"name":` or `,"name":`.
        var key: UnsafePointer<UInt8>
        var keyLength: Int
        var isWritten: Bool
        var form: CopyTextWriter.Form
    }

    typealias Text = UnsafePointer<UInt8>
    typealias Output = UnsafeMutablePointer<UInt8>

    let table: String
    let columns: [Column]
    private let places: UnsafeMutablePointer<Place>
    private let keyText: UnsafeMutablePointer<UInt8>
    private let columnCount: Int
    let writer = CopyTextWriter()

    init(table: String, columns: [Column]) {
        self.table = table
        self.columns = columns
        let texts = columns.enumerated().map { index, column in
            [UInt8(ascii: index == 0 ? "{" : ",")] + JSONBuilder.string(column.name) + [UInt8(ascii: ":")]
        }
        let total = texts.reduce(0) { $0 + $1.count }
        // Keys are compared sixteen bytes at a time.
        keyText = .allocate(capacity: total + 16)
        keyText.initialize(repeating: 0, count: total + 16)
        places = .allocate(capacity: max(1, columns.count))
        columnCount = columns.count
        var offset = 0
        for (index, text) in texts.enumerated() {
            (keyText + offset).update(from: text, count: text.count)
            (places + index).initialize(
                to: Place(
                    key: keyText + offset, keyLength: text.count, isWritten: columns[index].isWritten,
                    form: columns[index].form))
            offset += text.count
        }
    }

    deinit {
        places.deallocate()
        keyText.deallocate()
    }

    func decode(_ batch: RowBatch, into rows: PostgreSQLDecodedRows) throws(BackupError) {
        rows.reset()
        let text = UnsafePointer(batch.bytes.assumingMemoryBound(to: UInt8.self))
        for span in batch.rows {
            let (start, end) = (Int(span.start), Int(span.end))
            // A backslash becomes two bytes, three bytes of base64 four and a half; null takes less than it did.
            rows.reserve(2 * (end - start) + 4 * columnCount + 64)
            var out = rows.bytes + rows.count
            try decodeRow(text, start, end, &out)
            rows.count = out - rows.bytes
            rows.rowCount += 1
        }
    }

    private func decodeRow(_ text: Text, _ start: Int, _ end: Int, _ out: inout Output) throws(BackupError) {
        let begin = out
        var index = start
        var isFirst = true
        for column in 0..<columnCount {
            let place = places + column
            let keyLength = place.pointee.keyLength
            guard index + keyLength < end, eb_begins_with(text + index, place.pointee.key, keyLength) else {
                out = begin
                return try decodeSlowly(text, start, end, &out)
            }
            index += keyLength
            if text[index] <= 0x20 {
                out = begin
                return try decodeSlowly(text, start, end, &out)
            }
            if place.pointee.isWritten {
                if !isFirst { writer.put(0x09, &out) }
                isFirst = false
                index = try decodeValue(text, index, end, column, &out, rowStart: start)
            } else {
                index = JSONText.skipValue(text, index, end, depth: 512)
                if index < 0 { throw malformed(text, start, end, "a value is malformed") }
            }
        }
        guard columnCount > 0 else { return try decodeSlowly(text, start, end, &out) }
        guard index + 1 == end, text[index] == 0x7D else {
            out = begin
            return try decodeSlowly(text, start, end, &out)
        }
        writer.put(0x0A, &out)
    }

    @inline(__always)
    private func decodeValue(
        _ text: Text, _ start: Int, _ end: Int, _ column: Int, _ out: inout Output, rowStart: Int
    ) throws(BackupError) -> Int {
        switch writer.write(text, start, end, places[column].form, &out) {
        case .next(let next): return next
        case let fault: throw refusal(fault, text, start, end, column, rowStart: rowStart)
        }
    }

    /// A row whose keys come in another order, spaced or spelled in another way.
    @inline(never)
    private func decodeSlowly(_ text: Text, _ start: Int, _ end: Int, _ out: inout Output) throws(BackupError) {
        var values = [Int](repeating: -1, count: columnCount)
        var index = JSONText.skipWhitespace(text, start, end)
        guard index < end, text[index] == 0x7B else { throw malformed(text, start, end, "it is not an object") }
        index = JSONText.skipWhitespace(text, index + 1, end)
        while index < end, text[index] != 0x7D {
            let keyEnd = JSONText.skipString(text, index, end)
            guard keyEnd >= 0 else { throw malformed(text, start, end, "a key is malformed") }
            let name = writer.string(text, index, keyEnd)
            index = JSONText.skipWhitespace(text, keyEnd, end)
            guard index < end, text[index] == 0x3A else { throw malformed(text, start, end, "a colon is missing") }
            index = JSONText.skipWhitespace(text, index + 1, end)
            guard let column = columns.firstIndex(where: { $0.name.isExactly(name) }) else {
                throw BackupError(
                    .target,
                    "the archive has a column that the target's table lacks: \"\(name)\"; add it and run again",
                    location: location(text, start, end))
            }
            guard values[column] < 0 else {
                throw malformed(text, start, end, "the key \"\(name)\" is there twice")
            }
            values[column] = index
            index = JSONText.skipValue(text, index, end, depth: 512, leniency: .nonFiniteNumbers)
            guard index >= 0 else { throw malformed(text, start, end, "the value of \"\(name)\" is malformed") }
            index = JSONText.skipWhitespace(text, index, end)
            if index < end, text[index] == 0x2C {
                index = JSONText.skipWhitespace(text, index + 1, end)
            } else if index >= end || text[index] != 0x7D {
                throw malformed(text, start, end, "a comma is missing")
            }
        }
        guard index + 1 == end else { throw malformed(text, start, end, "it ends early or something follows it") }
        try writeFound(values, text, start, end, &out)
    }

    private func writeFound(
        _ values: [Int], _ text: Text, _ start: Int, _ end: Int, _ out: inout Output
    ) throws(BackupError) {
        var isFirst = true
        for column in 0..<columnCount where columns[column].isWritten {
            guard values[column] >= 0 else {
                let isForeign = columns[column].isForeign
                throw BackupError(
                    isForeign ? .target : .damaged,
                    "the row lacks the key \"\(columns[column].name)\""
                        + (isForeign ? ", a column of the target's table; drop it there, or add it to the rows" : ""),
                    location: location(text, start, end))
            }
            if !isFirst { writer.put(0x09, &out) }
            isFirst = false
            _ = try decodeValue(text, values[column], end, column, &out, rowStart: start)
        }
        writer.put(0x0A, &out)
    }

    // MARK: Errors

    @inline(never)
    private func refusal(
        _ fault: CopyTextWriter.Outcome, _ text: Text, _ start: Int, _ end: Int, _ column: Int, rowStart: Int
    ) -> BackupError {
        let name = "\"\(columns[column].name)\""
        let place = location(text, rowStart, end)
        switch fault {
        case .hasZero:
            return BackupError(
                .target, "the value of \(name) holds the character U+0000, which PostgreSQL's text cannot hold",
                location: place)
        case .isOfOtherKind:
            let words =
                columns[column].takesBytes
                ? "no byte string, and the target's column is of type bytea"
                : "a byte string, and the target's column is of another type"
            return BackupError(
                .target,
                "the value \(excerpt(text, start, end)) of \(name) is \(words); change the column's type, or leave the "
                    + "table out with --tables", location: place)
        case .isNoText:
            return BackupError(
                .target,
                "the value \(excerpt(text, start, end)) of \(name), in base64, is not UTF-8 text; restore into a database "
                    + "with ENCODING 'SQL_ASCII', or leave the table out with --tables", location: place)
        case .next, .malformed:
            return malformed(text, rowStart, end, "the value of \(name) cannot stand in this column")
        }
    }

    private func excerpt(_ text: Text, _ start: Int, _ end: Int) -> String {
        let next = JSONText.skipValue(text, start, end, depth: 512)
        let count = min(max(1, next - start), 60)
        return String(decoding: UnsafeBufferPointer(start: text + start, count: count), as: UTF8.self)
            + (next - start > 60 ? "…" : "")
    }

    private func location(_ text: Text, _ start: Int, _ end: Int) -> [String] {
        let first = String(
            decoding: UnsafeBufferPointer(start: text + start, count: min(end - start, 60)), as: UTF8.self)
        return ["table \"\(table)\"", "row \(first)\(end - start > 60 ? "…" : "")"]
    }

    @inline(never)
    private func malformed(_ text: Text, _ start: Int, _ end: Int, _ reason: String) -> BackupError {
        BackupError(.damaged, "a row of the archive is malformed: \(reason)", location: location(text, start, end))
    }
}
