internal import BackupArchive
internal import BackupCore
internal import DatabaseSource

/// What stands at the beginning of an export.
struct ExportHeader {
    var timestamp: Timestamp
    var source: SourceDescription
    var tables: [TableDescription]

    /// Elder's format version.
    static let version = "1.2.0"

    private struct Description: Encodable {
        var format = 1
        var generator = "elder-backup \(ProgramVersion.current)"
        var source: SourceDescription
        var tables: [TableDescription]
    }

    /// What an import needs to know of the rows, as one JSON object.
    func description() throws -> [UInt8] {
        try JSONValue.encode(Description(source: source, tables: tables))
    }
}

/// Writes one format. Rows come one after the other, in the order of the tables.
protocol ExportWriter: AnyObject {
    func begin(_ header: ExportHeader) throws
    func beginTable(_ table: TableDescription) throws
    func write(_ row: RowCells) throws
    func endTable() throws
    func end() throws
}

extension ExportFormat {
    /// - Parameter take: given the file's bytes, in order.
    func makeWriter(_ take: @escaping (UnsafeRawBufferPointer) throws -> Void) -> any ExportWriter {
        switch self {
        case .json: JSONExportWriter(take)
        case .ndjson: LineExportWriter(take)
        case .csv: CSVExportWriter(take)
        case .xml: XMLExportWriter(take)
        }
    }
}
