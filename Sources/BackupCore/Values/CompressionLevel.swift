/// How hard archives are compressed (`BACKUP_COMPRESSION`).
package enum CompressionLevel: String, Sendable, CaseIterable, Codable {
    /// ISA-L, level 1: faster than any database delivers rows.
    case fast
    /// libdeflate, level 5: smaller by about a fifth, at about a fifth of the speed.
    case balanced
}
