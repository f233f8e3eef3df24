/// How hard archives are compressed (`BACKUP_COMPRESSION`). `docs/compression.md` has the curve.
package enum CompressionLevel: String, Sendable, CaseIterable, Codable {
    /// ISA-L, level 1: faster than any database delivers rows.
    case fast
    /// libdeflate, level 5: smaller by about a quarter, at about a sixth of the speed.
    case balanced
    /// libdeflate, level 9: smaller by about a third, at about a fortieth of the speed.
    case small
}
