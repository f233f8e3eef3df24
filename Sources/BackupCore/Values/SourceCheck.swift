/// How a source is checked by its own engine while it is backed up (`BACKUP_SOURCE_CHECK`).
package enum SourceCheck: String, Sendable, CaseIterable, Codable {
    /// What costs about as much as reading the tables once more, beside the backup.
    case quick
    /// Indexes too, entry by entry.
    case full
    case off
}
