internal import BackupCore

/// The names of databases that a restore makes: they tell which installation made them, and a number that its session
/// holds as an advisory lock for as long as it lives.
package struct PostgreSQLScratchName: Equatable {
    package enum Kind: String, CaseIterable {
        /// Is being filled, in place of an empty database.
        case restoring
        /// Was empty, and another one has taken its name.
        case replaced
    }

    package var kind: Kind
    /// The first eight hexadecimal digits of the installation's UUID.
    package var installation: String
    package var key: Int64

    private static let start = "elder_backup_"

    package init(_ kind: Kind, installation: String, key: Int64) {
        self.kind = kind
        self.installation = PostgreSQLScratchName.mark(of: installation)
        self.key = key
    }

    /// Reads a database's name; nil where it is none of these.
    package init?(_ name: String) {
        guard name.hasPrefix(PostgreSQLScratchName.start) else { return nil }
        let parts = name.dropFirst(PostgreSQLScratchName.start.count).split(
            separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, let kind = Kind(rawValue: String(parts[0])), parts[1].utf8.count == 8,
            parts[2].utf8.count == 16, parts[1...].allSatisfy({ $0.utf8.allSatisfy(PostgreSQLScratchName.isDigit) }),
            let key = UInt64(parts[2], radix: 16)
        else { return nil }
        self.kind = kind
        installation = String(parts[1])
        self.key = Int64(bitPattern: key)
    }

    package var text: String {
        let digits = String(UInt64(bitPattern: key), radix: 16)
        let zeros = String(repeating: "0", count: 16 - digits.count)
        return "\(PostgreSQLScratchName.start)\(kind.rawValue)_\(installation)_\(zeros)\(digits)"
    }

    package static func mark(of installation: String) -> String {
        let digits = installation.lowercased().utf8.filter(isDigit).prefix(8)
        return String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: 8 - digits.count)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || byte &- 0x61 < 6 }

    /// The condition that a session holds the number, in whatever database.
    var isHeld: String {
        let bits = UInt64(bitPattern: key)
        return """
            EXISTS (SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1
                AND classid = \(bits >> 32)::oid AND objid = \(bits & 0xFFFF_FFFF)::oid)
            """
    }
}
