internal import BackupCore

/// One file of comma-separated values (RFC 4180) for each table, in one zip file.
final class CSVExportWriter: ExportWriter {
    private let zip: ZipStream
    private let buffer: ExportBuffer
    private var timestamp = Timestamp(microseconds: 0)
    private var tableCount = 0
    private var scratch: [UInt8] = []

    init(_ take: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        let zip = ZipStream(take)
        self.zip = zip
        buffer = ExportBuffer { try zip.write($0) }
    }

    func begin(_ header: ExportHeader) { timestamp = header.timestamp }

    func beginTable(_ table: TableDescription) throws {
        tableCount += 1
        try zip.beginFile(CSVExportWriter.fileName(table.name, number: tableCount), at: timestamp)
        for (index, column) in table.columns.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            Array(column.name.utf8).withUnsafeBufferPointer { write($0) }
        }
        buffer.append("\r\n")
    }

    func write(_ row: RowCells) throws {
        for (index, cell) in row.cells.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            switch cell.kind {
            // Nothing at all: an empty text has its quotes.
            case .null: break
            case .number, .boolean: buffer.append(row.literal(cell))
            case .json: write(row.literal(cell))
            case .text, .bytes, .encodedText:
                scratch.removeAll(keepingCapacity: true)
                row.appendText(of: cell, to: &scratch)
                scratch.withUnsafeBufferPointer { write($0) }
            }
            try buffer.flushWhereFull()
        }
        buffer.append("\r\n")
    }

    func endTable() throws {
        try buffer.flush()
        try zip.endFile()
    }

    func end() throws { try zip.end() }

    /// A field, in quotes where it needs them.
    private func write(_ text: UnsafeBufferPointer<UInt8>) {
        guard let base = text.baseAddress, text.count > 0, !CSVExportWriter.needsQuotes(text) else {
            buffer.append(UInt8(ascii: "\""))
            for byte in text {
                if byte == UInt8(ascii: "\"") { buffer.append(byte) }
                buffer.append(byte)
            }
            buffer.append(UInt8(ascii: "\""))
            return
        }
        buffer.append(base, 0, text.count)
    }

    private static func needsQuotes(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.first == 0x20 || text.last == 0x20 { return true }
        // Alone on a line it is the end of the data for PostgreSQL's COPY before version 18.
        if text.elementsEqual(#"\."#.utf8) { return true }
        return text.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
    }

    /// A name that means a file of that directory wherever the zip file is unpacked: other bytes than letters, digits,
    /// `_`, `-` and inner dots are percent-encoded.
    static func fileName(_ table: String, number: Int) -> String {
        let digits = Array("0123456789ABCDEF")
        var name = ""
        for byte in table.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-": name.unicodeScalars.append(scalar)
            case "." where !name.isEmpty: name.append(".")
            default: name += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
            }
        }
        if name.isEmpty { name = "%" }
        return (name.count <= 200 ? name : name.prefix(200) + "~\(number)") + ".csv"
    }
}
