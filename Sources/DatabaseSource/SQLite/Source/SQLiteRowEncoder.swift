internal import BackupCore
internal import CNumber
internal import CSQLite

/// Turns the row on which a statement stands into JSON text (`docs/archive-format.md`, "Values").
///
/// Two passes: ``measure(_:)`` looks at the values and says how much room the text may need, ``write(to:)`` writes it
/// without further checks of room. Nothing is allocated per row.
struct SQLiteRowEncoder: ~Copyable {
    /// What one result column is, and the value of the row at hand.
    private struct Cell {
        /// `{"name":` or `,"name":`.
        var key: UnsafePointer<UInt8>
        var keyLength: Int
        var encoding: ColumnEncoding
        var isSecret: Bool
        var kind: Kind = .null
        /// The value, as SQLite holds it until the next step.
        var value: OpaquePointer?
        /// The bytes of text or a byte string.
        var bytes: UnsafePointer<UInt8>
        var count = 0
    }

    private enum Kind: UInt8 {
        case null, integer, real, text, brokenText, blob
    }

    /// What the values of the row at hand come to.
    struct Measure {
        /// The bytes of its texts and byte strings.
        var valueBytes: Int
        /// The most bytes that its text can have, without ``JSONTextWriter/slack``.
        var textBound: Int
    }

    /// The most that anything but text or bytes takes, tags around a value included.
    private static let largestFixed = 48
    /// Up to this bound the worst case is assumed for every text; beyond it texts are measured one by one.
    private static let largestAssumedBound = 160 * 1024

    private let cells: UnsafeMutablePointer<Cell>
    private let cellCount: Int
    private let keys: UnsafeMutablePointer<UInt8>
    private let fixedBound: Int
    private let isUTF16: Bool

    /// - Parameters:
    ///   - keys: the keys of the row object, in the order of the result columns.
    ///   - secrets: the keys whose values are not read but written as null.
    ///   - isUTF16: whether the database stores its text in one of the two UTF-16 encodings.
    init(keys: [(name: String, encoding: ColumnEncoding)], secrets: Set<SQLiteName>, isUTF16: Bool) {
        let texts = keys.enumerated().map { index, key in
            SQLiteRowEncoder.keyText(key.name, isFirst: index == 0)
        }
        let total = texts.reduce(0) { $0 + $1.count }
        let keyMemory = UnsafeMutablePointer<UInt8>.allocate(capacity: total + 8)
        keyMemory.initialize(repeating: 0, count: total + 8)
        cells = .allocate(capacity: max(1, keys.count))
        var offset = 0
        for (index, text) in texts.enumerated() {
            for (place, byte) in text.enumerated() { keyMemory[offset + place] = byte }
            let cell = Cell(
                key: keyMemory + offset, keyLength: text.count, encoding: keys[index].encoding,
                isSecret: secrets.contains(SQLiteName(keys[index].name)), bytes: UnsafePointer(keyMemory))
            (cells + index).initialize(to: cell)
            offset += text.count
        }
        self.keys = keyMemory
        self.cellCount = keys.count
        self.isUTF16 = isUTF16
        fixedBound = total + keys.count * SQLiteRowEncoder.largestFixed + 2
    }

    deinit {
        cells.deallocate()
        keys.deallocate()
    }

    private static func keyText(_ name: String, isFirst: Bool) -> [UInt8] {
        let plain = Array(name.utf8)
        var text = [UInt8](repeating: 0, count: plain.count * JSONTextWriter.largestExpansion + JSONTextWriter.slack)
        let length = plain.withUnsafeBufferPointer { source in
            text.withUnsafeMutableBufferPointer { out -> Int in
                guard let start = source.baseAddress, let outStart = out.baseAddress else { return 0 }
                return JSONTextWriter.writeText(start, source.count, to: outStart)
            }
        }
        return [UInt8(ascii: isFirst ? "{" : ","), UInt8(ascii: "\"")] + text[..<max(0, length)]
            + [UInt8(ascii: "\""), UInt8(ascii: ":")]
    }

    // MARK: Measuring

    /// Reads the values of the row on which `statement` stands.
    func measure(_ statement: OpaquePointer) -> Measure {
        var textBytes = 0
        var blobBytes = 0
        for index in 0..<cellCount {
            let cell = cells + index
            guard !cell.pointee.isSecret, let value = sqlite3_column_value(statement, Int32(truncatingIfNeeded: index))
            else {
                cell.pointee.kind = .null
                continue
            }
            cell.pointee.value = value
            switch sqlite3_value_type(value) {
            case SQLITE_INTEGER: cell.pointee.kind = .integer
            case SQLITE_FLOAT: cell.pointee.kind = .real
            case SQLITE_TEXT:
                if isUTF16 { readUTF16(value, into: cell) } else { read(value, .text, into: cell) }
                textBytes += cell.pointee.count
            case SQLITE_BLOB:
                read(value, .blob, into: cell)
                blobBytes += cell.pointee.count
            default: cell.pointee.kind = .null
            }
        }
        let assumed =
            fixedBound + textBytes * JSONTextWriter.largestExpansion + JSONTextWriter.base64Length(blobBytes)
        let bound = assumed <= SQLiteRowEncoder.largestAssumedBound ? assumed : exactBound()
        return Measure(valueBytes: textBytes + blobBytes, textBound: bound)
    }

    /// `sqlite3_value_blob` hands over stored text as it is, without a terminator and so without a copy.
    @inline(__always)
    private func read(_ value: OpaquePointer, _ kind: Kind, into cell: UnsafeMutablePointer<Cell>) {
        cell.pointee.kind = kind
        if let start = sqlite3_value_blob(value) {
            cell.pointee.bytes = start.assumingMemoryBound(to: UInt8.self)
            cell.pointee.count = Int(sqlite3_value_bytes(value))
        } else {
            cell.pointee.count = 0
        }
    }

    /// Text that UTF-8 cannot carry through SQLite unchanged is kept as UTF-16LE.
    private func readUTF16(_ value: OpaquePointer, into cell: UnsafeMutablePointer<Cell>) {
        cell.pointee.kind = .text
        cell.pointee.count = 0
        guard let wide = sqlite3_value_text16le(value) else { return }
        let count = Int(sqlite3_value_bytes16(value))
        guard UTF16Text.survivesUTF8(wide, count) else {
            cell.pointee.kind = .brokenText
            cell.pointee.bytes = wide.assumingMemoryBound(to: UInt8.self)
            cell.pointee.count = count
            return
        }
        guard let text = sqlite3_value_text(value) else { return }
        cell.pointee.bytes = text
        cell.pointee.count = Int(sqlite3_value_bytes(value))
    }

    /// The bound of a row that is not small: each text is measured, so that memory is asked for as it is needed.
    private func exactBound() -> Int {
        var bound = fixedBound
        for index in 0..<cellCount {
            let cell = cells[index]
            switch cell.kind {
            case .text:
                let length = JSONTextWriter.encodedLength(cell.bytes, cell.count)
                bound += length < 0 ? JSONTextWriter.base64Length(cell.count) : length
            case .brokenText, .blob: bound += JSONTextWriter.base64Length(cell.count)
            default: break
            }
        }
        return bound
    }

    // MARK: Writing

    /// Writes the row that was measured last, from `{` to `}`, and returns its length.
    func write(to start: UnsafeMutablePointer<UInt8>) -> Int {
        var out = start
        for index in 0..<cellCount {
            let cell = cells + index
            SQLiteRowEncoder.copy(cell.pointee.key, cell.pointee.keyLength, to: out)
            out += cell.pointee.keyLength
            switch cell.pointee.kind {
            case .null: SQLiteRowEncoder.put("null", &out)
            case .integer: writeInteger(cell, &out)
            case .real: writeReal(cell, &out)
            case .text: writeText(cell, &out)
            case .brokenText: writeBase64(cell, "{\"$text\":\"", "\"}", &out)
            case .blob:
                if cell.pointee.encoding == .bytes {
                    writeBase64(cell, "\"", "\"", &out)
                } else {
                    writeBase64(cell, "{\"$bytes\":\"", "\"}", &out)
                }
            }
        }
        if cellCount == 0 { SQLiteRowEncoder.put("{", &out) }
        SQLiteRowEncoder.put("}", &out)
        return out - start
    }

    @inline(__always)
    private func writeInteger(_ cell: UnsafeMutablePointer<Cell>, _ out: inout UnsafeMutablePointer<UInt8>) {
        let value = sqlite3_value_int64(cell.pointee.value)
        switch cell.pointee.encoding {
        case .boolean where value == 0: SQLiteRowEncoder.put("false", &out)
        case .boolean where value == 1: SQLiteRowEncoder.put("true", &out)
        case .json:
            SQLiteRowEncoder.put("{\"$integer\":\"", &out)
            out += JSONTextWriter.writeInteger(value, to: out)
            SQLiteRowEncoder.put("\"}", &out)
        default: out += JSONTextWriter.writeInteger(value, to: out)
        }
    }

    @inline(__always)
    private func writeReal(_ cell: UnsafeMutablePointer<Cell>, _ out: inout UnsafeMutablePointer<UInt8>) {
        let value = sqlite3_value_double(cell.pointee.value)
        let isTagged = cell.pointee.encoding == .json || !value.isFinite
        if isTagged { SQLiteRowEncoder.put("{\"$real\":\"", &out) }
        if value.isFinite {
            // The buffer is char: the same memory under its C name.
            out += UnsafeMutableRawPointer(out).withMemoryRebound(to: CChar.self, capacity: 32) {
                eb_format_double(value, $0)
            }
        } else {
            SQLiteRowEncoder.put(value < 0 ? "-Infinity" : "Infinity", &out)
        }
        if isTagged { SQLiteRowEncoder.put("\"}", &out) }
    }

    @inline(__always)
    private func writeText(_ cell: UnsafeMutablePointer<Cell>, _ out: inout UnsafeMutablePointer<UInt8>) {
        let start = out
        switch cell.pointee.encoding {
        case .json:
            if NestedJSON.isSafe(cell.pointee.bytes, cell.pointee.count) {
                UnsafeMutableRawPointer(out).copyMemory(from: cell.pointee.bytes, byteCount: cell.pointee.count)
                out += cell.pointee.count
                return
            }
            SQLiteRowEncoder.put("{\"$string\":\"", &out)
        case .bytes: SQLiteRowEncoder.put("{\"$string\":\"", &out)
        case .value, .boolean: SQLiteRowEncoder.put("\"", &out)
        }
        let length = JSONTextWriter.writeText(cell.pointee.bytes, cell.pointee.count, to: out)
        if length < 0 {
            out = start
            writeBase64(cell, "{\"$text\":\"", "\"}", &out)
            return
        }
        out += length
        switch cell.pointee.encoding {
        case .json, .bytes: SQLiteRowEncoder.put("\"}", &out)
        case .value, .boolean: SQLiteRowEncoder.put("\"", &out)
        }
    }

    private func writeBase64(
        _ cell: UnsafeMutablePointer<Cell>, _ opening: StaticString, _ closing: StaticString,
        _ out: inout UnsafeMutablePointer<UInt8>
    ) {
        SQLiteRowEncoder.put(opening, &out)
        out += JSONTextWriter.writeBase64(cell.pointee.bytes, cell.pointee.count, to: out)
        SQLiteRowEncoder.put(closing, &out)
    }

    @inline(__always)
    private static func put(_ text: StaticString, _ out: inout UnsafeMutablePointer<UInt8>) {
        let count = text.utf8CodeUnitCount
        for index in 0..<count { out[index] = text.utf8Start[index] }
        out += count
    }

    /// Keys are short: words of eight bytes, up to seven of them beyond the end, beat a call. The key memory has eight
    /// bytes to spare at its end.
    @inline(__always)
    private static func copy(_ source: UnsafePointer<UInt8>, _ count: Int, to out: UnsafeMutablePointer<UInt8>) {
        var index = 0
        while index < count {
            let word = UnsafeRawPointer(source + index).loadUnaligned(as: UInt64.self)
            UnsafeMutableRawPointer(out + index).storeBytes(of: word, as: UInt64.self)
            index += 8
        }
    }
}
