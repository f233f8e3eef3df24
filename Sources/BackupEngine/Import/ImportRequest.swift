package import BackupCore

/// What a file that is to be imported holds; told by the end of its name.
package enum ImportForm: Sendable, CaseIterable {
    /// An export, a backup, or what Elder wrote; gzip or not.
    case json
    /// A line for each row.
    case lines

    /// Nil for a name that tells nothing.
    package init?(filename: String) {
        let name = filename.lowercased()
        if name.hasSuffix(".json") || name.hasSuffix(".json.gz") {
            self = .json
        } else if name.hasSuffix(".ndjson") {
            self = .lines
        } else {
            return nil
        }
    }
}

package struct ImportRequest: Sendable {
    /// Of the file.
    package var path: String
    /// What its owner calls it, for the audit log.
    package var name: String
    package var form: ImportForm
    /// The database; its tables must be there.
    package var target: DatabaseURL
    package var tables: [String]?
    package var dryRun = false
    package var clearExisting = false
    package var regenerateIDs = false

    package init(path: String, form: ImportForm, target: DatabaseURL) {
        self.path = path
        name = path.split(separator: "/").last.map(String.init) ?? path
        self.form = form
        self.target = target
    }
}

/// The answer to an import: Elder's shape, and what else there is to say.
package struct ImportResponse: Sendable, Codable {
    package var dryRun: Bool
    package var importedTables: Int
    package var totalRecords: Int64
    package var importedCounts: TableCounts
    /// Always empty: an import that has an error imports nothing. Kept for Elder's clients.
    package var errors: [String: String]
    package var durationSeconds: Double
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case errors, warnings
        case dryRun = "dry_run"
        case importedTables = "imported_tables"
        case totalRecords = "total_records"
        case importedCounts = "imported_counts"
        case durationSeconds = "duration_seconds"
    }
}
