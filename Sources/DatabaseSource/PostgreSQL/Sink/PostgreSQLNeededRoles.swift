internal import BackupCore

/// The roles that definitions name, found before anything is run, so that all that are missing can be told at once.
package struct PostgreSQLNeededRoles {
    /// Owners and those with privileges, in the order in which they come.
    package private(set) var ofOwners: [String] = []
    /// Those whom policies and user mappings name: these are defined without owners too.
    package private(set) var ofPolicies: [String] = []
    private var known: Set<ExactName> = []

    package init() {}

    /// Looks through a script of pg_dump's.
    package mutating func add(script: String) {
        for statement in PostgreSQLStatements(script) { add(statement: statement) }
    }

    package mutating func add(owner role: String) {
        guard !role.isEmpty, known.insert(ExactName(role)).inserted else { return }
        ofOwners.append(role)
    }

    private mutating func add(policyRole role: String) {
        if !ofPolicies.contains(where: { $0.isExactly(role) }) { ofPolicies.append(role) }
    }

    private mutating func add(statement: String) {
        let start = statement.prefix(40).lowercased()
        guard
            ["alter ", "grant ", "revoke ", "create policy ", "create user mapping ", "set session "].contains(where: {
                start.hasPrefix($0)
            })
        else { return }
        let tokens = PostgreSQLTokens(statement).all
        switch tokens.first {
        case .word("alter"):
            // `ALTER … OWNER TO role`, and `ALTER DEFAULT PRIVILEGES FOR ROLE role … GRANT … TO role`.
            if tokens.count > 3, tokens[tokens.count - 3] == .word("owner") { add(owner: tokens[tokens.count - 1]) }
            guard tokens.count > 5, tokens[1] == .word("default"), tokens[2] == .word("privileges") else { return }
            if tokens[3] == .word("for") { add(owner: tokens[5]) }
            addGrantee(tokens)
        case .word("grant"), .word("revoke"): addGrantee(tokens)
        case .word("set"): if let last = tokens.last { add(owner: last) }
        default: addPolicy(tokens)
        }
    }

    /// pg_dump names one role behind the last TO or FROM.
    private mutating func addGrantee(_ tokens: [PostgreSQLTokens.Token]) {
        guard let index = tokens.lastIndex(where: { $0 == .word("to") || $0 == .word("from") }) else { return }
        if index + 1 < tokens.count { add(owner: tokens[index + 1]) }
    }

    private mutating func add(owner token: PostgreSQLTokens.Token) {
        switch token {
        case .name(let name): add(owner: name)
        case .word(let word) where word != "public": add(owner: word)
        default: return
        }
    }

    /// `CREATE POLICY … TO role, role USING …`, `CREATE USER MAPPING FOR role SERVER …`.
    private mutating func addPolicy(_ tokens: [PostgreSQLTokens.Token]) {
        guard tokens.count > 2 else { return }
        let isMapping = tokens[1] == .word("user")
        let opening = PostgreSQLTokens.Token.word(isMapping ? "for" : "to")
        guard let start = tokens.firstIndex(of: opening) else { return }
        for token in tokens[(start + 1)...] {
            switch token {
            case .name(let name): add(policyRole: name)
            case .word("public"), .other(","): continue
            case .word(let word) where !["using", "with", "server"].contains(word): add(policyRole: word)
            default: return
            }
        }
    }
}

extension PostgreSQLNeededRoles {
    /// - Throws: ``BackupError/Code/target`` naming every role that the server lacks.
    func check(on connection: PostgreSQLConnection, skipsOwners: Bool) throws(BackupError) {
        let missing = try missing(of: ofPolicies + (skipsOwners ? [] : ofOwners), on: connection)
        guard !missing.isEmpty else { return }
        let names = missing.map { "\"\($0)\"" }.joined(separator: ", ")
        let isOfPolicy = missing.contains { name in ofPolicies.contains { $0.isExactly(name) } }
        let uses = isOfPolicy ? "that own, may use or are named by policies of" : "that own or may use"
        throw BackupError(
            .target,
            "\(connection.address.redacted) lacks \(missing.count == 1 ? "a role" : "\(missing.count) roles") \(uses) what "
                + "the archive holds: \(names); create \(missing.count == 1 ? "it" : "them") there (`elder-backup archive "
                + "cat FILE --definitions globals` shows how)"
                + (isOfPolicy || skipsOwners ? "" : ", or leave owners and privileges out with --no-owner"))
    }

    private func missing(
        of roles: [String], on connection: PostgreSQLConnection
    ) throws(BackupError) -> [String] {
        guard !roles.isEmpty else { return [] }
        let result = try connection.query("SELECT rolname FROM pg_roles")
        let there = Set((0..<result.rowCount).map { ExactName(result.value($0, 0)) })
        return roles.filter { !there.contains(ExactName($0)) }
    }
}

/// The words of one statement, as far as roles are to be found in it.
struct PostgreSQLTokens {
    enum Token: Equatable {
        /// In small letters.
        case word(String)
        /// A quoted name or a string, without its quotes.
        case name(String)
        case other(Character)
    }

    private(set) var all: [Token] = []

    /// What stands in parentheses is left out: no role's name does.
    init(_ statement: String) {
        var rest = Substring(statement)
        var depth = 0
        while let character = rest.first {
            if character == "\"" || character == "'" {
                let name = PostgreSQLTokens.takeQuoted(&rest, character)
                if depth == 0 { all.append(.name(name)) }
            } else if character.isLetter || character == "_" {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }
                rest = rest[word.endIndex...]
                if depth == 0 { all.append(.word(word.lowercased())) }
            } else {
                rest.removeFirst()
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
                if depth == 0, !character.isWhitespace { all.append(.other(character)) }
            }
        }
    }

    private static func takeQuoted(_ rest: inout Substring, _ mark: Character) -> String {
        rest.removeFirst()
        var name = ""
        while let character = rest.popFirst() {
            if character == mark {
                guard rest.first == mark else { break }
                rest.removeFirst()
            }
            name.append(character)
        }
        return name
    }
}
