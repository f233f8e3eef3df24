/// What a backup holds: of which database, and how much of it. Only backups of the same content can stand in for each
/// other.
package struct BackupContent: Sendable, Codable, Hashable {
    /// Stands for the database: a digest of where it lies, without who asks for it and how.
    package var identity: String
    /// ``whole``, or a digest of the lists of tables that are and are not held.
    package var scope: String

    /// The scope of a backup from which nothing was left out.
    package static let whole = "all"

    package init(identity: String, scope: String) {
        self.identity = identity
        self.scope = scope
    }
}
