internal import BackupCore

/// Runs the definitions of an archive.
struct PostgreSQLReplay {
    let connection: PostgreSQLConnection
    /// Whether owners and privileges are left out.
    let skipsOwners: Bool
    /// Whether statements are run that do more than define.
    let trustsSchema: Bool
    /// Whether only some tables get rows.
    let isSelection: Bool

    /// What pg_dump's definitions consist of.
    private static let defining: Set<String> = [
        "create", "alter", "comment", "grant", "revoke", "set", "security", "select",
    ]

    /// pg_dump switches them off for psql; here they are the user's, and some only newer servers know.
    private static let timeouts: Set<String> = [
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout",
    ]

    func run(_ script: String) throws(BackupError) {
        for statement in PostgreSQLStatements(script) {
            if let action = try action(for: statement) { try execute(action) }
        }
    }

    /// The statements that are to be run, in order.
    func actions(in script: String) throws(BackupError) -> [String] {
        var actions: [String] = []
        for statement in PostgreSQLStatements(script) {
            if let action = try action(for: statement) { actions.append(action) }
        }
        return actions
    }

    /// Runs one statement, over another connection where one is given.
    func execute(_ action: String, on other: PostgreSQLConnection? = nil) throws(BackupError) {
        do {
            try (other ?? connection).execute(action)
        } catch {
            var error = error
            // Of some tables only the rows were restored, and this one's are not among them.
            if isSelection, error.message.contains("[23503]"),
                case .foreignKey(_, let parent) = PostgreSQLStatementShape(action)
            {
                error.message +=
                    "; rows of \"\(parent)\" are needed too: add it to --tables, or restore into a "
                    + "database that has them"
            }
            throw error.located("statement \"\(PostgreSQLReplay.excerpt(action))\"")
        }
    }

    /// The statement as it is to be run; nil where it is left out.
    private func action(for statement: String) throws(BackupError) -> String? {
        let words = statement.prefix(200).split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
        let first = words.first ?? ""
        let isPlain =
            PostgreSQLReplay.defining.contains(first)
            && (first != "select" || statement.hasPrefix("SELECT pg_catalog.set_config('search_path',"))
            || PostgreSQLReplay.changesRole(words)
        guard isPlain || trustsSchema else {
            throw BackupError(
                .target,
                "the archive's definitions hold a statement that does more than define "
                    + "(\"\(PostgreSQLReplay.excerpt(statement))\"); look at it, and use --trust-schema to run it")
        }
        if first == "set", let setting = words.dropFirst().first, PostgreSQLReplay.timeouts.contains(setting) {
            return nil
        }
        if skipsOwners, PostgreSQLReplay.concernsOwners(statement, words) { return nil }
        return statement
    }

    /// `ALTER … OWNER TO role`, `GRANT`, `REVOKE`, `ALTER DEFAULT PRIVILEGES`: what needs roles that may not be there.
    static func concernsOwners(_ statement: String, _ words: [String]) -> Bool {
        switch words.first {
        case "grant", "revoke": return true
        case "set", "reset": return changesRole(words)
        case "alter":
            if words.count > 2, words[1] == "default", words[2] == "privileges" { return true }
            guard let range = statement.ranges(of: " OWNER TO ").last else { return false }
            // Behind it stands a role's name and nothing else.
            let role = statement[range.upperBound...]
            if role.hasPrefix("\"") { return role.hasSuffix("\"") }
            return role.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }
        default: return false
        }
    }

    /// `SET SESSION AUTHORIZATION role` and its end, which pg_dump puts around what another role has granted.
    private static func changesRole(_ words: [String]) -> Bool {
        ["set", "reset"].contains(words.first) && words.dropFirst().starts(with: ["session", "authorization"])
    }

    private static func excerpt(_ statement: String) -> String {
        let line = PostgreSQLFailure.line(String(statement.prefix(120)))
        return line.count < statement.count ? line + "…" : line
    }
}
