internal import BackupCore
internal import Foundation

/// XML 1.0: names as attributes, a value's kind as an attribute, and in base64 what XML cannot hold.
final class XMLExportWriter: ExportWriter {
    private let buffer: ExportBuffer
    private var openings: [[UInt8]] = []
    private var scratch: [UInt8] = []

    init(_ take: @escaping (UnsafeRawBufferPointer) throws -> Void) { buffer = ExportBuffer(take) }

    func begin(_ header: ExportHeader) {
        buffer.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        buffer.append(
            Array("<export version=\"\(ExportHeader.version)\" timestamp=\"\(header.timestamp.iso8601)\">\n".utf8))
    }

    func beginTable(_ table: TableDescription) {
        buffer.append("<table")
        buffer.append(XMLExportWriter.attribute("name", table.name))
        buffer.append(">\n")
        openings = table.columns.map { Array("<field".utf8) + XMLExportWriter.attribute("name", $0.name) }
    }

    func write(_ row: RowCells) throws {
        buffer.append("<row>")
        for (index, cell) in row.cells.enumerated() {
            buffer.append(openings[index])
            buffer.append(" type=\"")
            buffer.append(Array(cell.kind.rawValue.utf8))
            switch cell.kind {
            case .null:
                buffer.append("\"/>")
                continue
            case .number, .boolean:
                buffer.append("\">")
                buffer.append(row.literal(cell))
            case .json:
                write(row.literal(cell))
            case .text, .bytes, .encodedText:
                scratch.removeAll(keepingCapacity: true)
                row.appendText(of: cell, to: &scratch)
                scratch.withUnsafeBufferPointer { write($0) }
            }
            buffer.append("</field>")
            try buffer.flushWhereFull()
        }
        buffer.append("</row>\n")
    }

    func endTable() { buffer.append("</table>\n") }

    func end() throws {
        buffer.append("</export>\n")
        try buffer.flush()
    }

    /// Ends a tag's attributes and writes what stands in the element.
    private func write(_ text: UnsafeBufferPointer<UInt8>) {
        guard XMLExportWriter.isHeld(text) else {
            buffer.append("\" encoding=\"base64\">")
            buffer.append(Array(Data(buffer: text).base64EncodedData()))
            return
        }
        buffer.append("\">")
        guard let base = text.baseAddress else { return }
        var start = 0
        for index in 0..<text.count {
            guard let escape = XMLExportWriter.escape(text[index]) else { continue }
            buffer.append(base, start, index)
            buffer.append(escape)
            start = index + 1
        }
        buffer.append(base, start, text.count)
    }

    /// A carriage return would be read as a line feed (XML 1.0, section 2.11).
    private static func escape(_ byte: UInt8) -> StaticString? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case 0x0D: "&#13;"
        default: nil
        }
    }

    /// Whether XML 1.0 may hold each character of a text in UTF-8 (section 2.2).
    private static func isHeld(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        for (index, byte) in text.enumerated() {
            if byte < 0x20, byte != 0x09, byte != 0x0A, byte != 0x0D { return false }
            // U+FFFE and U+FFFF.
            if byte == 0xEF, index + 2 < text.count, text[index + 1] == 0xBF, text[index + 2] >= 0xBE { return false }
        }
        return true
    }

    /// An attribute, in base64 under another name where XML cannot hold it.
    private static func attribute(_ name: String, _ value: String) -> [UInt8] {
        let bytes = Array(value.utf8)
        guard bytes.withUnsafeBufferPointer(isHeld) else {
            return Array(" \(name)-base64=\"\(Data(bytes).base64EncodedString())\"".utf8)
        }
        var text = Array(" \(name)=\"".utf8)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): text += Array("&quot;".utf8)
            // They would be read as spaces (section 3.3.3).
            case 0x09: text += Array("&#9;".utf8)
            case 0x0A: text += Array("&#10;".utf8)
            default:
                if let escape = escape(byte) {
                    text += UnsafeBufferPointer(start: escape.utf8Start, count: escape.utf8CodeUnitCount)
                } else {
                    text.append(byte)
                }
            }
        }
        return text + [UInt8(ascii: "\"")]
    }
}
