package import BackupCore

package struct RestoreRequest: Sendable {
    package var backup: BackupReference
    package var target: DatabaseURL
    package var tables: [String]?
    package var dryRun = false
    package var clearExisting = false
    package var regenerateIDs = false
    package var dataOnly = false
    /// Read the target back and compare its digests before the commit.
    package var prove = false
    package var trustSchema = false
    package var from = CopyChoice.any
    /// Wait for a copy that lies in an archive class.
    package var waits = false
    /// PostgreSQL: restore neither owners nor privileges.
    package var noOwner = false
    /// PostgreSQL: over how many connections an empty database is filled.
    package var jobs = 1

    package init(backup: BackupReference, target: DatabaseURL) {
        self.backup = backup
        self.target = target
    }
}

/// The answer to a restore: Elder's shape, and what else there is to say.
package struct RestoreResponse: Sendable, Codable {
    /// Nil for an archive that the catalog does not know.
    package var backupID: Int64?
    package var dryRun: Bool
    package var restoredTables: Int
    package var totalRecords: Int64
    package var restoredCounts: TableCounts
    /// Always empty: a restore that has an error restores nothing. Kept for Elder's clients.
    package var errors: [String: String]
    /// Whether the target was read back and found equal.
    package var proven: Bool
    /// `local`, or the name of the store that the copy was fetched from.
    package var source: String
    /// Why the local copy was not taken.
    package var sourceReason: String?
    /// Bytes that were fetched from stores.
    package var fetchedBytes: Int64
    package var durationSeconds: Double
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case errors, proven, source, warnings
        case sourceReason = "source_reason"
        case fetchedBytes = "fetched_bytes"
        case backupID = "backup_id"
        case dryRun = "dry_run"
        case restoredTables = "restored_tables"
        case totalRecords = "total_records"
        case restoredCounts = "restored_counts"
        case durationSeconds = "duration_seconds"
    }
}

/// Rows by table, as one JSON object.
///
/// Names that Unicode holds canonically equivalent are apart here; in JSON, where most readers cannot tell them apart,
/// their rows are counted together.
package struct TableCounts: Sendable, Codable, Equatable, ExpressibleByDictionaryLiteral {
    package private(set) var counts: [ExactName: Int64]

    package init(_ tables: some Sequence<(String, Int64)>) {
        counts = Dictionary(tables.map { (ExactName($0), $1) }, uniquingKeysWith: +)
    }

    package init(dictionaryLiteral elements: (String, Int64)...) { self.init(elements) }

    package init(from decoder: any Decoder) throws {
        self.init(try [String: Int64](from: decoder).map { ($0, $1) })
    }

    package func encode(to encoder: any Encoder) throws {
        try Dictionary(counts.map { ($0.key.text, $0.value) }, uniquingKeysWith: +).encode(to: encoder)
    }

    package subscript(_ table: String) -> Int64? { counts[ExactName(table)] }
}
