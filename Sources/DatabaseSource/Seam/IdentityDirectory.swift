package import BackupCore

/// Looks up in Elder's database what Elder itself decides by who may administer it. Reads and nothing else; calls block.
///
/// Elder (https://github.com/penguintechinc/elder, `apps/api/auth`) takes the subject of a token of type `access` for an
/// id of `identities`, and that of type `portal_user` for one of `portal_users`. Whoever is not active is nobody.
/// Admins are identities with `is_superuser` or the `portal_role` `admin`, and portal users with the `global_role`
/// `admin`.
package protocol IdentityDirectory {
    /// Looks a person up.
    ///
    /// - Throws: `source` where the database cannot be asked, or lacks the table or a column.
    func standing(of subject: ElderSubject) throws -> ElderStanding
}

/// The question that all engines are asked.
enum IdentityQuery {
    /// How long to wait for a connection, for a lock, and for the answer.
    static let patience = Duration.seconds(3)

    /// A query for at most one row of three texts, each of which may be null: whether someone is active, whether that
    /// one is a superuser, and the role.
    ///
    /// - Parameters:
    ///   - schema: with its dot, or nothing.
    ///   - text: the engine's type of texts.
    static func sql(_ subject: ElderSubject, schema: String, text: String) -> String {
        let (table, superuser, role) =
            switch subject.kind {
            case .access: ("identities", "is_superuser", "portal_role")
            case .portalUser: ("portal_users", "NULL", "global_role")
            }
        return "SELECT CAST(is_active AS \(text)), CAST(\(superuser) AS \(text)), CAST(\(role) AS \(text)) "
            + "FROM \(schema)\(table) WHERE id = \(subject.id)"
    }

    static func standing(active: String?, superuser: String?, role: String?) -> ElderStanding {
        guard isTrue(active) else { return .nobody }
        return isTrue(superuser) || role == "admin" ? .admin : .other
    }

    /// Booleans come as 1 and 0, as `true` and `false`, and as PyDAL's `T` and `F`; all else is not true.
    private static func isTrue(_ text: String?) -> Bool {
        ["1", "t", "true"].contains(text?.lowercased() ?? "")
    }
}
