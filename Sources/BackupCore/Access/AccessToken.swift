/// What a caller of the API may do; each role may do what those before it may.
package enum AccessRole: String, Sendable, Codable, CaseIterable, Comparable {
    /// Looks at jobs and backups.
    case viewer
    /// Also runs, verifies, copies and downloads backups.
    case `operator`
    /// Also changes and deletes, and restores.
    case admin

    package static func < (left: AccessRole, right: AccessRole) -> Bool {
        let order = AccessRole.allCases
        return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
    }
}

/// What the catalog keeps of an API token: everything but its text, of which only the hash is kept.
package struct AccessToken: Sendable, Codable, Equatable {
    package var id: Int64
    package var name: String
    package var role: AccessRole
    package var createdAt: Timestamp
    /// From then on it is refused; never when nil.
    package var expiresAt: Timestamp?
    package var lastUsedAt: Timestamp?
    package var revokedAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
        case id, name, role
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case lastUsedAt = "last_used_at"
        case revokedAt = "revoked_at"
    }

    package init(
        id: Int64, name: String, role: AccessRole, createdAt: Timestamp, expiresAt: Timestamp? = nil,
        lastUsedAt: Timestamp? = nil, revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
    }

    /// Whether it opens anything at a moment.
    package func isValid(at now: Timestamp) -> Bool {
        revokedAt == nil && expiresAt.map { $0 > now } ?? true
    }
}
