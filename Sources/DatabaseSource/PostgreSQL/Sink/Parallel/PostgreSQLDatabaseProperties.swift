internal import BackupCore

/// What belongs to a database as a whole and does not come along when it is copied: owner, grants, limit, settings,
/// comment, security labels.
struct PostgreSQLDatabaseProperties {
    /// Connected to another database, in a transaction.
    let connection: PostgreSQLConnection

    /// Gives one database the properties of another.
    func copy(from origin: String, to copy: String) throws(BackupError) {
        let name = PostgreSQLName.quote(copy)
        let row = try connection.query(
            """
            SELECT pg_get_userbyid(datdba), datconnlimit, datistemplate, shobj_description(oid, 'pg_database'),
                datacl IS NOT NULL
            FROM pg_database WHERE datname = \(PostgreSQLName.literal(origin))
            """)
        guard row.rowCount == 1 else {
            throw BackupError(.target, "the database \"\(origin)\" is not there any more; nothing was changed")
        }
        let owner = row.value(0, 0)
        if try self.owner(of: copy) != owner {
            try connection.execute("ALTER DATABASE \(name) OWNER TO \(PostgreSQLName.quote(owner))")
        }
        if row.value(0, 1) != "-1" {
            try connection.execute("ALTER DATABASE \(name) CONNECTION LIMIT \(row.value(0, 1))")
        }
        if row.flag(0, 2) { try connection.execute("ALTER DATABASE \(name) IS_TEMPLATE true") }
        let comment = row.text(0, 3).map(PostgreSQLName.literal) ?? "NULL"
        try connection.execute("COMMENT ON DATABASE \(name) IS \(comment)")
        if row.flag(0, 4) { try copyGrants(from: origin, to: copy, owner: owner) }
        try copySettings(from: origin, to: copy)
        try copyLabels(from: origin, to: copy)
    }

    private func owner(of database: String) throws(BackupError) -> String? {
        try connection.text(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = \(PostgreSQLName.literal(database))")
    }

    // MARK: Grants

    private func copyGrants(from origin: String, to copy: String, owner: String) throws(BackupError) {
        let name = PostgreSQLName.quote(copy)
        try connection.execute("REVOKE ALL ON DATABASE \(name) FROM PUBLIC, \(PostgreSQLName.quote(owner))")
        // Who passes a right on has it from the owner.
        let grants = try connection.query(
            """
            SELECT pg_get_userbyid(a.grantor), CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END,
                a.privilege_type, a.is_grantable
            FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = \(PostgreSQLName.literal(origin))
            ORDER BY a.grantor <> d.datdba, NOT a.is_grantable
            """)
        for row in 0..<grants.rowCount {
            let isOwners = grants.value(row, 0) == owner
            if !isOwners { try connection.execute("SET LOCAL ROLE \(PostgreSQLName.quote(grants.value(row, 0)))") }
            let grantee = grants.text(row, 1).map(PostgreSQLName.quote) ?? "PUBLIC"
            try connection.execute(
                "GRANT \(grants.value(row, 2)) ON DATABASE \(name) TO \(grantee)"
                    + (grants.flag(row, 3) ? " WITH GRANT OPTION" : ""))
            if !isOwners { try connection.execute("RESET ROLE") }
        }
        let lists = try connection.query(
            """
            SELECT DISTINCT (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a) FROM pg_database
            WHERE datname IN (\(PostgreSQLName.literal(origin)), \(PostgreSQLName.literal(copy)))
            """)
        guard lists.rowCount == 1 else {
            throw BackupError(
                .target,
                "the grants on the database \"\(origin)\" cannot be given to another one by the role "
                    + "\(connection.userName)")
        }
    }

    // MARK: Settings

    private func copySettings(from origin: String, to copy: String) throws(BackupError) {
        let name = PostgreSQLName.quote(copy)
        let settings = try connection.query(
            """
            SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, split_part(c.text, '=', 1),
                substr(c.text, strpos(c.text, '=') + 1)
            FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
                unnest(s.setconfig) WITH ORDINALITY c(text, position)
            WHERE d.datname = \(PostgreSQLName.literal(origin)) ORDER BY s.setrole, c.position
            """)
        for row in 0..<settings.rowCount {
            let subject =
                settings.text(row, 0).map { "ROLE \(PostgreSQLName.quote($0)) IN DATABASE \(name)" }
                ?? "DATABASE \(name)"
            let value = PostgreSQLDatabaseProperties.value(settings.value(row, 2), of: settings.value(row, 1))
            try connection.execute(
                "ALTER \(subject) SET \(PostgreSQLName.quote(settings.value(row, 1))) TO \(value)")
        }
    }

    /// Settings that are lists of names and are stored as such, quotes included
    /// (`GUC_LIST_QUOTE` in PostgreSQL's `guc_tables.c`).
    private static let lists: Set<String> = [
        "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
        "temp_tablespaces", "unix_socket_directories", "oauth_validator_libraries",
    ]

    /// A setting's value as it stands in a statement.
    private static func value(_ text: String, of setting: String) -> String {
        guard lists.contains(setting.lowercased()) else { return PostgreSQLName.literal(text) }
        var names: [String] = []
        var words = PostgreSQLNameList(text)
        while let name = words.next() { names.append(PostgreSQLName.literal(name)) }
        return names.isEmpty ? "''" : names.joined(separator: ", ")
    }

    private func copyLabels(from origin: String, to copy: String) throws(BackupError) {
        let labels = try connection.query(
            """
            SELECT l.provider, l.label FROM pg_shseclabel l JOIN pg_database d ON d.oid = l.objoid
            WHERE l.classoid = 'pg_database'::regclass AND d.datname = \(PostgreSQLName.literal(origin))
            """)
        for row in 0..<labels.rowCount {
            try connection.execute(
                "SECURITY LABEL FOR \(PostgreSQLName.quote(labels.value(row, 0))) ON DATABASE "
                    + "\(PostgreSQLName.quote(copy)) IS \(PostgreSQLName.literal(labels.value(row, 1)))")
        }
    }
}

/// The names of a list such as `"$user", public`.
package struct PostgreSQLNameList: Sequence, IteratorProtocol {
    private var rest: Substring.UnicodeScalarView

    package init(_ text: String) { rest = Substring(text).unicodeScalars }

    package mutating func next() -> String? {
        while let first = rest.first, first == "," || first.properties.isWhitespace { rest.removeFirst() }
        guard let first = rest.first else { return nil }
        var name = String.UnicodeScalarView()
        guard first == "\"" else {
            while let scalar = rest.first, scalar != ",", !scalar.properties.isWhitespace {
                name.append(scalar)
                rest.removeFirst()
            }
            return String(name)
        }
        rest.removeFirst()
        while let scalar = rest.popFirst() {
            if scalar == "\"" {
                guard rest.first == "\"" else { break }
                rest.removeFirst()
            }
            name.append(scalar)
        }
        return String(name)
    }
}
