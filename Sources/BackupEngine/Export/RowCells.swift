internal import BackupCore

/// One value of a row, as the archive's text has it (`docs/archive-format.md`, "Values"), without the tags.
struct RowCell {
    enum Kind: String {
        case null
        /// A number, or the name of one that JSON lacks.
        case number
        case boolean
        /// A JSON string, quotes included.
        case text
        /// A JSON value of a JSON column.
        case json
        /// A JSON string of base64.
        case bytes
        /// A JSON string of base64: the stored bytes of a text that is not valid.
        case encodedText = "encoded-text"
    }

    var kind: Kind
    var start: Int
    var end: Int
}

/// The values of one row after the other, by their places in its text. Nothing is copied.
struct RowCells {
    let columns: [ColumnDescription]
    private(set) var cells: [RowCell]
    /// Valid until the next row is read.
    private(set) var text: UnsafePointer<UInt8>
    /// Of the whole row.
    private(set) var start = 0
    private(set) var end = 0

    init(_ table: TableDescription, text: UnsafePointer<UInt8>) {
        columns = table.columns
        cells = Array(repeating: RowCell(kind: .null, start: 0, end: 0), count: table.columns.count)
        self.text = text
    }

    /// Moves to a row.
    ///
    /// - Throws: `internal` where the text is not what a source writes.
    mutating func move(to row: RowBatch.Span, in text: UnsafePointer<UInt8>) throws(BackupError) {
        self.text = text
        start = Int(row.start)
        end = Int(row.end)
        var index = start
        for column in cells.indices {
            // Behind the brace or the comma the key, behind the colon the value.
            let key = JSONText.skipString(text, index + 1, end)
            let value = key < 0 ? key : JSONText.skipValue(text, key + 1, end, depth: 120)
            guard value > 0 else { throw RowCells.malformed }
            cells[column] = RowCells.cell(text, key + 1, value, columns[column].encoding)
            index = value
        }
        guard index + 1 == end || cells.isEmpty else { throw RowCells.malformed }
    }

    private static let malformed = BackupError(
        .internal, "a row that the source has written cannot be read; please report this")

    private static func cell(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ encoding: ColumnEncoding
    ) -> RowCell {
        switch text[start] {
        case UInt8(ascii: "n"): return RowCell(kind: .null, start: start, end: end)
        case UInt8(ascii: "{") where end - start > 4 && text[start + 2] == UInt8(ascii: "$"):
            if let cell = tagged(text, start, end) { return cell }
        default: break
        }
        if encoding == .json { return RowCell(kind: .json, start: start, end: end) }
        switch text[start] {
        case UInt8(ascii: "\""):
            return RowCell(kind: encoding == .bytes ? .bytes : .text, start: start, end: end)
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return RowCell(kind: .boolean, start: start, end: end)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return RowCell(kind: .json, start: start, end: end)
        default: return RowCell(kind: .number, start: start, end: end)
        }
    }

    private static let tags: [(key: [UInt8], kind: RowCell.Kind)] = ValueTag.allCases.map { tag in
        let kind: RowCell.Kind =
            switch tag {
            case .string: .text
            case .integer, .real: .number
            case .bytes: .bytes
            case .text: .encodedText
            }
        return (Array("{\"\(tag.rawValue)\":".utf8), kind)
    }

    private static func tagged(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> RowCell? {
        for tag in tags where end - start > tag.key.count + 2 {
            guard tag.key.elementsEqual(UnsafeBufferPointer(start: text + start, count: tag.key.count)) else {
                continue
            }
            let (first, last) = (start + tag.key.count, end - 1)
            // A number's string holds nothing that is escaped.
            return tag.kind == .number
                ? RowCell(kind: .number, start: first + 1, end: last - 1)
                : RowCell(kind: tag.kind, start: first, end: last)
        }
        return nil
    }

    /// The text that a cell's JSON string stands for, appended to `output`.
    func appendText(of cell: RowCell, to output: inout [UInt8]) {
        var index = cell.start + 1
        let last = cell.end - 1
        while index < last {
            let plain = JSONText.skipPlain(text, index, last)
            if plain > index {
                output.append(contentsOf: UnsafeBufferPointer(start: text + index, count: plain - index))
                index = plain
            } else if text[index] == UInt8(ascii: "\\") {
                index += JSONSlices.appendEscape(text, index, last, to: &output)
            } else {
                output.append(text[index])
                index += 1
            }
        }
    }

    /// The bytes of a cell that is no JSON string.
    func literal(_ cell: RowCell) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text + cell.start, count: cell.end - cell.start)
    }
}
