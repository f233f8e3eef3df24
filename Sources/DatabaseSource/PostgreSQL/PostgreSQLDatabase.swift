/// What belongs to a database as a whole: pg_dump leaves it out where it dumps definitions.
struct PostgreSQLDatabase: Codable {
    struct Setting: Codable {
        /// Nil for all roles.
        var role: String?
        var name: String
        /// As the catalog holds it: a list is quoted names between commas.
        var value: String
    }

    struct SecurityLabel: Codable {
        var provider: String
        var label: String
    }

    var name: String
    var owner: String
    var tablespace: String
    /// `libc`, `icu` or `builtin`; nil before PostgreSQL 15.
    var localeProvider: String?
    var collate: String
    var ctype: String
    /// The locale of ICU or of the server's own provider.
    var locale: String?
    var icuRules: String?
    /// -1 for no limit.
    var connectionLimit: Int64
    var isTemplate: Bool
    var comment: String?
    /// Nil where the usual rights are all there are.
    var grants: [PostgreSQLDefinitions.Grant]?
    var securityLabels: [SecurityLabel]
    var settings: [Setting]

    /// A statement that gives a database one of these properties, and how to call it.
    struct Action {
        var title: String
        var sql: String
    }

    /// What a restore gives the database that it fills: it changes nothing for others, and the role may be allowed to.
    ///
    /// - Parameter target: the name of the database that gets it.
    func properties(of target: String, skipsRoles: Bool) -> [Action] {
        let quoted = PostgreSQLName.quote(target)
        var actions: [Action] = []
        if let comment {
            actions.append(
                Action(title: "comment", sql: "COMMENT ON DATABASE \(quoted) IS \(PostgreSQLName.literal(comment))"))
        }
        for setting in settings {
            let value = PostgreSQLDatabase.value(of: setting)
            let assignment = "SET \(PostgreSQLName.quote(setting.name)) TO \(value)"
            if let role = setting.role {
                guard !skipsRoles else { continue }
                let alter = "ALTER ROLE \(PostgreSQLName.quote(role)) IN DATABASE \(quoted)"
                actions.append(
                    Action(title: "setting \(setting.name) of role \(role)", sql: "\(alter) \(assignment)"))
            } else {
                actions.append(
                    Action(title: "setting \(setting.name)", sql: "ALTER DATABASE \(quoted) \(assignment)"))
            }
        }
        return actions
    }

    /// Statements that make a database like this one, to be looked at and run by hand.
    func script(encoding: String) -> String {
        let quoted = PostgreSQLName.quote(name)
        var statements = [creation(encoding: encoding)]
        statements.append("ALTER DATABASE \(quoted) OWNER TO \(PostgreSQLName.quote(owner))")
        if isTemplate { statements.append("ALTER DATABASE \(quoted) IS_TEMPLATE true") }
        if let grants {
            statements.append("REVOKE ALL ON DATABASE \(quoted) FROM PUBLIC")
            statements.append("REVOKE ALL ON DATABASE \(quoted) FROM \(PostgreSQLName.quote(owner))")
            for grant in grants {
                let role = grant.role.isEmpty ? "PUBLIC" : PostgreSQLName.quote(grant.role)
                statements.append(
                    "GRANT \(grant.privilege) ON DATABASE \(quoted) TO \(role)"
                        + (grant.isGrantable ? " WITH GRANT OPTION" : ""))
            }
        }
        for label in securityLabels {
            statements.append(
                "SECURITY LABEL FOR \(PostgreSQLName.quote(label.provider)) ON DATABASE \(quoted) IS "
                    + PostgreSQLName.literal(label.label))
        }
        statements += properties(of: name, skipsRoles: false).map(\.sql)
        return statements.map { $0 + ";\n" }.joined()
    }

    private func creation(encoding: String) -> String {
        var options = ["TEMPLATE = template0", "ENCODING = \(PostgreSQLName.literal(encoding))"]
        if let localeProvider { options.append("LOCALE_PROVIDER = \(localeProvider)") }
        options.append("LC_COLLATE = \(PostgreSQLName.literal(collate))")
        options.append("LC_CTYPE = \(PostgreSQLName.literal(ctype))")
        if let locale {
            let option = localeProvider == "builtin" ? "BUILTIN_LOCALE" : "ICU_LOCALE"
            options.append("\(option) = \(PostgreSQLName.literal(locale))")
        }
        if let icuRules { options.append("ICU_RULES = \(PostgreSQLName.literal(icuRules))") }
        if tablespace != "pg_default" { options.append("TABLESPACE = \(PostgreSQLName.quote(tablespace))") }
        if connectionLimit >= 0 { options.append("CONNECTION LIMIT = \(connectionLimit)") }
        return "CREATE DATABASE \(PostgreSQLName.quote(name)) WITH \(options.joined(separator: " "))"
    }

    // MARK: Values of settings

    /// Settings whose values are lists of quoted names, by the server's own list (`GUC_LIST_QUOTE`).
    private static let lists: Set<String> = [
        "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
        "temp_tablespaces", "unix_socket_directories",
    ]

    /// As SET takes it.
    private static func value(of setting: Setting) -> String {
        guard lists.contains(setting.name.lowercased()) else { return PostgreSQLName.literal(setting.value) }
        let names = elements(of: setting.value)
        return names.isEmpty ? "''" : names.map(PostgreSQLName.literal).joined(separator: ", ")
    }

    private static func elements(of list: String) -> [String] {
        var elements: [String] = []
        var rest = Array(list.unicodeScalars)[...]
        while true {
            rest = rest.drop { $0.properties.isWhitespace }
            guard let first = rest.first else { return elements }
            var element = String.UnicodeScalarView()
            if first == "\"" {
                rest.removeFirst()
                while let scalar = rest.popFirst() {
                    if scalar == "\"" {
                        guard rest.first == "\"" else { break }
                        rest.removeFirst()
                    }
                    element.append(scalar)
                }
            } else {
                while let scalar = rest.first, scalar != ",", !scalar.properties.isWhitespace {
                    element.append(scalar)
                    rest.removeFirst()
                }
            }
            elements.append(String(element))
            rest = rest.drop { $0 != "," }.dropFirst()
        }
    }
}
