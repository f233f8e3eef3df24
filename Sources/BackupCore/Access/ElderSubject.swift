/// Whom a token of Elder stands for. The numbers of the two kinds have nothing to do with one another.
package struct ElderSubject: Sendable, Hashable {
    /// The raw value is the token's type.
    package enum Kind: String, Sendable {
        /// An identity: a row of Elder's `identities`.
        case access
        /// A user of the portal: a row of Elder's `portal_users`.
        case portalUser = "portal_user"
    }

    package var kind: Kind
    package var id: Int64

    package init(kind: Kind, id: Int64) {
        self.kind = kind
        self.id = id
    }
}

/// What Elder's database says of someone.
package enum ElderStanding: Sendable, Equatable {
    case admin
    /// Active, and no admin.
    case other
    /// Not active, or not there.
    case nobody
}
