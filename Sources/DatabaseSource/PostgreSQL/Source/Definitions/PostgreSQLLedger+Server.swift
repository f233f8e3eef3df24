internal import BackupCore

extension PostgreSQLLedger {
    /// The database itself, and what it needs of its server.
    func serverObjects() throws(BackupError) -> [LedgerEntry] {
        let roles = try connection.query(PostgreSQLLedger.roles)
        let tablespaces = try connection.query(PostgreSQLLedger.tablespaces)
        var entries = [
            LedgerEntry(
                type: "database", name: connection.databaseName, holding: .definition,
                reason: "a restore sets comment and settings, not owner, grants, encoding and locale")
        ]
        entries += (0..<roles.rowCount).map { global("role", roles.value($0, 0), "without a password; ") }
        entries += (0..<tablespaces.rowCount).map { global("tablespace", tablespaces.value($0, 0), "") }
        entries += try settings()
        entries += try userMappings()
        return entries
    }

    private func global(_ type: String, _ name: String, _ words: String) -> LedgerEntry {
        guard globals.text != nil else {
            return LedgerEntry(type: type, name: name, holding: .unsupported, reason: globals.reason)
        }
        return LedgerEntry(type: type, name: name, holding: .definition, reason: words + "a restore does not create it")
    }

    private func settings() throws(BackupError) -> [LedgerEntry] {
        let result = try connection.query(
            """
            SELECT split_part(u.c, '=', 1), pg_get_userbyid(nullif(s.setrole, 0))
            FROM pg_db_role_setting s, unnest(s.setconfig) u(c)
            WHERE s.setdatabase = \(PostgreSQLLedger.database) ORDER BY 1, 2 NULLS FIRST
            """)
        return (0..<result.rowCount).map { row in
            LedgerEntry(
                type: "database setting",
                name: result.value(row, 0) + (result.text(row, 1).map { " of role \($0)" } ?? ""),
                holding: .definition)
        }
    }

    private func userMappings() throws(BackupError) -> [LedgerEntry] {
        let result = try connection.query(
            "SELECT quote_ident(usename) || ' on ' || quote_ident(srvname) FROM pg_user_mappings ORDER BY 1")
        return (0..<result.rowCount).map { row in
            held(
                LedgerEntry(
                    type: "user mapping", name: result.value(row, 0), holding: .definition,
                    reason: "with its options, a password among them, as far as this role may read them"))
        }
    }

    private static let database = "(SELECT oid FROM pg_database WHERE datname = current_database())"

    /// The roles that own something in the database or are granted something. Those that came with the server are not
    /// listed as dependencies, and may own things all the same.
    private static var roles: String {
        """
        SELECT DISTINCT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND oid IN (
            SELECT refobjid FROM pg_shdepend
            WHERE refclassid = 'pg_authid'::regclass AND (dbid = \(database)
                OR dbid = 0 AND classid = 'pg_database'::regclass AND objid = \(database))
            UNION ALL SELECT datdba FROM pg_database WHERE datname = current_database()
            UNION ALL SELECT setrole FROM pg_db_role_setting WHERE setdatabase = \(database)
            UNION ALL SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE \(PostgreSQLTableListing.isUsersSchema)
            UNION ALL SELECT n.nspowner FROM pg_namespace n WHERE \(PostgreSQLTableListing.isUsersSchema)
            UNION ALL SELECT p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE \(PostgreSQLTableListing.isUsersSchema)
        ) ORDER BY 1
        """
    }

    /// Those that hold something of the database, but for the server's own two.
    private static var tablespaces: String {
        """
        SELECT spcname FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') AND oid IN (
            SELECT reltablespace FROM pg_class
            UNION ALL SELECT dattablespace FROM pg_database WHERE datname = current_database()
        ) ORDER BY 1
        """
    }
}
