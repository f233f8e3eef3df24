internal import BackupCore
internal import CBytes

/// Turns a row of `COPY … TO STDOUT` in text form
/// (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2) into JSON text (`docs/archive-format.md`,
/// "Values of PostgreSQL").
///
/// One pass, nothing allocated per row: most of what COPY writes is what JSON writes, escapes included. How a column's
/// values are written is decided once.
package struct CopyTextEncoder: ~Copyable {
    /// How the values of a column are written.
    package enum Form: UInt8, Sendable, CaseIterable {
        /// An integer: its digits.
        case number
        /// A floating-point number: what PostgreSQL prints, tagged where it is not finite.
        case real
        /// `true` and `false`.
        case boolean
        /// A string.
        case text
        /// A byte string, which COPY writes in hexadecimal, in base64.
        case bytes
        /// JSON text as what it is, where that is safe.
        case json
        /// Never read: null.
        case secret
    }

    private struct Column {
        /// `{"name":` or `,"name":`, and for text the quote that opens it.
        var opening: UnsafePointer<UInt8>
        var openingLength: Int
        var form: Form
    }

    package typealias Output = UnsafeMutablePointer<UInt8>

    /// Sixteen bytes are looked at at once: so many behind a row must be readable, whatever they are.
    package static let slack = 16
    /// The most that a tag, quotes or a word such as `false` add to a value.
    private static let largestFixed = 24
    /// Up to this bound the worst case is assumed; beyond it the row is looked through.
    private static let largestAssumedBound = 160 * 1024

    private let columns: UnsafeMutablePointer<Column>
    private let columnCount: Int
    private let openings: UnsafeMutablePointer<UInt8>
    private let fixedBound: Int

    package init(keys names: [(name: String, form: Form)]) {
        let texts = names.enumerated().map { index, key in
            [UInt8(ascii: index == 0 ? "{" : ",")] + JSONBuilder.string(key.name) + [UInt8(ascii: ":")]
                + (key.form == .text ? [UInt8(ascii: "\"")] : [])
        }
        let total = texts.reduce(0) { $0 + $1.count }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: total + CopyTextEncoder.slack)
        memory.initialize(repeating: 0, count: total + CopyTextEncoder.slack)
        columns = .allocate(capacity: max(1, names.count))
        var offset = 0
        for (index, text) in texts.enumerated() {
            (memory + offset).update(from: text, count: text.count)
            (columns + index).initialize(
                to: Column(opening: memory + offset, openingLength: text.count, form: names[index].form))
            offset += text.count
        }
        openings = memory
        columnCount = names.count
        fixedBound = total + names.count * CopyTextEncoder.largestFixed + 2
    }

    deinit {
        columns.deallocate()
        openings.deallocate()
    }

    /// The most bytes that the text of a row can have, without ``JSONTextWriter/slack``.
    package func bound(_ row: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let assumed = fixedBound + count * JSONTextWriter.largestExpansion
        if assumed <= CopyTextEncoder.largestAssumedBound { return assumed }
        // Broken text grows by a third in base64; control characters take six bytes.
        var more = count / 3 + 4
        for index in 0..<count {
            let byte = row[index]
            if byte < 0x20 { more += 5 }
            if byte == 0x22 || byte == 0x5C { more += 2 }
        }
        return fixedBound + count + more
    }

    /// Writes a row, from `{` to `}`.
    ///
    /// - Parameters:
    ///   - row: one line of COPY, its line break included, with ``slack`` behind it.
    ///   - start: room for ``bound(_:_:)`` and ``JSONTextWriter/slack``.
    /// - Returns: the length of the text, or -1 where the line is not one of this table.
    package func write(_ row: UnsafePointer<UInt8>, _ count: Int, to start: Output) -> Int {
        guard count > 0, row[count - 1] == 0x0A else { return -1 }
        var out = start
        var index = 0
        for column in 0..<columnCount {
            let form = columns[column].form
            eb_copy(out, columns[column].opening, columns[column].openingLength)
            out += columns[column].openingLength
            if form == .secret || row[index] == 0x5C && row[index + 1] == 0x4E {
                if form == .text { out -= 1 }
                CopyTextEncoder.put("null", &out)
                while row[index] != 0x09, index < count - 1 { index += 1 }
            } else {
                index = writeValue(form, row, index, count, &out)
                if index < 0 { return -1 }
            }
            // Behind every column but the last stands a tab.
            if column + 1 < columnCount {
                guard row[index] == 0x09 else { return -1 }
                index += 1
            }
        }
        guard index == count - 1 else { return -1 }
        if columnCount == 0 { CopyTextEncoder.put("{", &out) }
        CopyTextEncoder.put("}", &out)
        return out - start
    }

    /// Writes one value; returns the index of the tab or line break behind it, or -1.
    @inline(__always)
    private func writeValue(
        _ form: Form, _ row: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ out: inout Output
    ) -> Int {
        switch form {
        case .number: return CopyTextEncoder.copyPlain(row, start, &out)
        case .real:
            let byte = row[start]
            if byte == 0x2D, row[start + 1] == 0x30, row[start + 2] < 0x20 {
                // Without a point readers would take it for the integer 0.
                CopyTextEncoder.put("-0.0", &out)
                return start + 2
            }
            let isFinite = byte != 0x4E && byte != 0x49 && !(byte == 0x2D && row[start + 1] == 0x49)
            if isFinite { return CopyTextEncoder.copyPlain(row, start, &out) }
            CopyTextEncoder.put("{\"$real\":\"", &out)
            let next = CopyTextEncoder.copyPlain(row, start, &out)
            CopyTextEncoder.put("\"}", &out)
            return next
        case .boolean:
            guard row[start + 1] == 0x09 || row[start + 1] == 0x0A else { return -1 }
            if row[start] == 0x74 {
                CopyTextEncoder.put("true", &out)
            } else {
                guard row[start] == 0x66 else { return -1 }
                CopyTextEncoder.put("false", &out)
            }
            return start + 1
        case .text: return writeText(row, start, count, opening: 1, closing: "\"", &out)
        case .bytes: return CopyTextEncoder.writeBytes(row, start, count, &out)
        case .json: return writeJSON(row, start, count, &out)
        case .secret: return -1
        }
    }

    /// Copies a value that needs no escapes.
    @inline(__always)
    private static func copyPlain(_ row: UnsafePointer<UInt8>, _ start: Int, _ out: inout Output) -> Int {
        var index = start
        while true {
            // The line break at the row's end ends this.
            let stops = eb_copy_and_find_control(out, row + index)
            let plain = stops == 0 ? 16 : stops.trailingZeroBitCount
            out += plain
            index += plain
            if stops != 0 { return index }
        }
    }

    @inline(__always)
    static func put(_ text: StaticString, _ out: inout Output) {
        let count = text.utf8CodeUnitCount
        for index in 0..<count { out[index] = text.utf8Start[index] }
        out += count
    }
}
