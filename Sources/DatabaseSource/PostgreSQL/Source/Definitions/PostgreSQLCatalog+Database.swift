internal import BackupCore

extension PostgreSQLCatalog {
    /// What belongs to the database as a whole.
    func database() throws(BackupError) -> PostgreSQLDatabase {
        let version = connection.serverVersion
        let provider =
            version >= 150_000
            ? "CASE d.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END" : "NULL"
        let locale = version >= 170_000 ? "d.datlocale" : version >= 150_000 ? "d.daticulocale" : "NULL"
        let rules = version >= 160_000 ? "d.daticurules" : "NULL"
        let result = try connection.query(
            """
            SELECT d.datname, pg_get_userbyid(d.datdba), t.spcname, \(provider), d.datcollate, d.datctype, \(locale),
                \(rules), d.datconnlimit, d.datistemplate, shobj_description(d.oid, 'pg_database'), d.datacl IS NOT NULL
            FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = current_database()
            """)
        guard result.rowCount == 1 else {
            throw BackupError(.source, "the database was renamed while it was read; run again")
        }
        return PostgreSQLDatabase(
            name: result.value(0, 0), owner: result.value(0, 1), tablespace: result.value(0, 2),
            localeProvider: result.text(0, 3), collate: result.value(0, 4), ctype: result.value(0, 5),
            locale: result.text(0, 6), icuRules: result.text(0, 7), connectionLimit: result.integer(0, 8) ?? -1,
            isTemplate: result.flag(0, 9), comment: result.text(0, 10),
            grants: result.flag(0, 11) ? try databaseGrants() : nil, securityLabels: try databaseLabels(),
            settings: try databaseSettings())
    }

    private static let own = "(SELECT oid FROM pg_database WHERE datname = current_database())"

    private func databaseGrants() throws(BackupError) -> [PostgreSQLDefinitions.Grant] {
        let result = try connection.query(
            """
            SELECT CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee)::text END, a.privilege_type,
                a.is_grantable
            FROM pg_database d, aclexplode(d.datacl) a WHERE d.oid = \(PostgreSQLCatalog.own) ORDER BY 1, 2
            """)
        return (0..<result.rowCount).map { row in
            PostgreSQLDefinitions.Grant(
                role: result.value(row, 0), privilege: result.value(row, 1), isGrantable: result.flag(row, 2))
        }
    }

    private func databaseLabels() throws(BackupError) -> [PostgreSQLDatabase.SecurityLabel] {
        let result = try connection.query(
            """
            SELECT provider, label FROM pg_shseclabel
            WHERE classoid = 'pg_database'::regclass AND objoid = \(PostgreSQLCatalog.own) ORDER BY 1
            """)
        return (0..<result.rowCount).map { row in
            PostgreSQLDatabase.SecurityLabel(provider: result.value(row, 0), label: result.value(row, 1))
        }
    }

    /// Of `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
    private func databaseSettings() throws(BackupError) -> [PostgreSQLDatabase.Setting] {
        let result = try connection.query(
            """
            SELECT pg_get_userbyid(nullif(s.setrole, 0)), split_part(u.c, '=', 1), substr(u.c, strpos(u.c, '=') + 1)
            FROM pg_db_role_setting s, unnest(s.setconfig) WITH ORDINALITY u(c, n)
            WHERE s.setdatabase = \(PostgreSQLCatalog.own) ORDER BY 1 NULLS FIRST, u.n
            """)
        return (0..<result.rowCount).map { row in
            PostgreSQLDatabase.Setting(
                role: result.text(row, 0), name: result.value(row, 1), value: result.value(row, 2))
        }
    }
}
