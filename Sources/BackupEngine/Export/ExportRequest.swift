package import BackupCore

package enum ExportFormat: String, Sendable, Codable, CaseIterable {
    case json, csv, xml, ndjson

    /// Of the files, without the dot.
    package var fileExtension: String { self == .csv ? "csv.zip" : rawValue }

    package var mediaType: String {
        switch self {
        case .json: "application/json"
        case .csv: "application/zip"
        case .xml: "application/xml"
        case .ndjson: "application/x-ndjson"
        }
    }
}

package struct ExportRequest: Sendable {
    package var format: ExportFormat
    /// Names of tables, or Elder's words for their rows (`entity`); all tables when empty.
    package var resourceTypes: [String] = []
    /// Which rows, as one JSON object (`docs/export.md`, "Filters"); all of them when nil.
    package var filters: [UInt8]?
    /// The database; the configured one when nil.
    package var source: DatabaseURL?
    /// A file that does not exist yet, or a directory for it; the directory of exports when nil.
    package var output: String?

    package init(format: ExportFormat) { self.format = format }
}

/// The answer to an export: Elder's shape, and what else there is to say.
package struct ExportResponse: Sendable, Codable {
    package var success: Bool
    package var format: ExportFormat
    package var filename: String
    package var filePath: String
    /// In bytes.
    package var fileSize: Int64
    package var resourceTypes: [String]
    /// By the names that the caller gave.
    package var recordCounts: TableCounts
    package var durationSeconds: Double
    /// What the user should know, each a line.
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case success, format, filename, warnings
        case filePath = "file_path"
        case fileSize = "file_size"
        case resourceTypes = "resource_types"
        case recordCounts = "record_counts"
        case durationSeconds = "duration_seconds"
    }
}
