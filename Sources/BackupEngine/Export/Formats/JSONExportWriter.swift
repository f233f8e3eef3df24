internal import BackupCore

/// One object of Elder's shape, a row a line.
final class JSONExportWriter: ExportWriter {
    private let buffer: ExportBuffer
    private var tableCount = 0
    private var rowCount = 0

    init(_ take: @escaping (UnsafeRawBufferPointer) throws -> Void) { buffer = ExportBuffer(take) }

    func begin(_ header: ExportHeader) throws {
        buffer.append(Array("{\n\"version\": \"\(ExportHeader.version)\",\n".utf8))
        buffer.append(Array("\"timestamp\": \"\(header.timestamp.iso8601)\",\n\"export\": ".utf8))
        buffer.append(try header.description())
        buffer.append(",\n\"tables\": {")
    }

    func beginTable(_ table: TableDescription) {
        buffer.append(tableCount == 0 ? "\n" : ",\n")
        buffer.append(JSONBuilder.string(table.name))
        buffer.append(": [")
        tableCount += 1
        rowCount = 0
    }

    func write(_ row: RowCells) throws {
        buffer.append(rowCount == 0 ? "\n" : ",\n")
        buffer.append(row.text, row.start, row.end)
        rowCount += 1
        try buffer.flushWhereFull()
    }

    func endTable() { buffer.append("\n]") }

    func end() throws {
        buffer.append("\n}\n}\n")
        try buffer.flush()
    }
}

/// Newline-delimited JSON: one line that describes the tables, then a line for each row.
final class LineExportWriter: ExportWriter {
    private let buffer: ExportBuffer
    private var opening: [UInt8] = []

    init(_ take: @escaping (UnsafeRawBufferPointer) throws -> Void) { buffer = ExportBuffer(take) }

    func begin(_ header: ExportHeader) throws {
        buffer.append(Array("{\"version\":\"\(ExportHeader.version)\",".utf8))
        buffer.append(Array("\"timestamp\":\"\(header.timestamp.iso8601)\",\"export\":".utf8))
        buffer.append(try header.description())
        buffer.append("}\n")
    }

    func beginTable(_ table: TableDescription) {
        opening = Array("{\"table\":".utf8) + JSONBuilder.string(table.name) + Array(",\"row\":".utf8)
    }

    func write(_ row: RowCells) throws {
        buffer.append(opening)
        buffer.append(row.text, row.start, row.end)
        buffer.append("}\n")
        try buffer.flushWhereFull()
    }

    func endTable() {}

    func end() throws { try buffer.flush() }
}
