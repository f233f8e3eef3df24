internal import BackupCore

/// Whether the definitions in a database changed between two moments.
///
/// pg_dump takes locks of its own, and one of them would wait for ever behind somebody who waits for those of the
/// snapshot. So it runs before the snapshot, and what it wrote counts if nothing that it reads has changed by then.
///
/// Who defines something anew writes new rows into catalogs, and each holds the number of his transaction, `xmin`, which
/// is above those that are there (https://www.postgresql.org/docs/current/ddl-system-columns.html); only VACUUM and
/// ANALYZE change rows in their place. So a catalog with the same count of rows and the same sum of `xmin` is the same,
/// and no row is read as text. In `pg_class`, TRUNCATE, CLUSTER and REINDEX write new rows too: there, what defines
/// something counts.
enum PostgreSQLFingerprint {
    /// The first number of an object that initdb did not make, `FirstNormalObjectId`.
    private static let firstOfUsers = 16_384

    /// Columns of `pg_class` that define something.
    private static let relation = """
        ROW(c.oid, c.relname, c.relnamespace, c.reltype, c.reloftype, c.relowner, c.relam, c.reltablespace,
            c.relpersistence, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relispopulated, c.relreplident,
            c.relispartition, c.relacl, c.reloptions, pg_get_expr(c.relpartbound, c.oid))
        """

    /// Catalogs whose rows belong to a relation, with the column that names it: those of temporary ones do not count.
    private static let ofRelations = [
        ("pg_attribute", "attrelid"), ("pg_index", "indrelid"), ("pg_constraint", "conrelid"),
        ("pg_attrdef", "adrelid"),
        ("pg_trigger", "tgrelid"), ("pg_rewrite", "ev_class"), ("pg_inherits", "inhrelid"), ("pg_sequence", "seqrelid"),
        ("pg_policy", "polrelid"),
    ]
    private static let others = [
        "pg_proc", "pg_extension", "pg_description", "pg_seclabel", "pg_default_acl", "pg_init_privs",
        "pg_partitioned_table", "pg_event_trigger", "pg_publication", "pg_publication_rel", "pg_operator", "pg_opclass",
        "pg_opfamily", "pg_amop", "pg_amproc", "pg_collation", "pg_conversion", "pg_ts_config", "pg_ts_config_map",
        "pg_ts_dict", "pg_ts_parser", "pg_ts_template", "pg_cast", "pg_transform", "pg_language", "pg_am",
        "pg_foreign_data_wrapper", "pg_foreign_server", "pg_foreign_table", "pg_statistic_ext", "pg_aggregate",
        "pg_enum", "pg_range",
    ]

    /// A text that is the same as long as the definitions are.
    static func text(on connection: PostgreSQLConnection) throws(BackupError) -> String {
        // A server may refuse MD5; before 11 it has nothing else.
        let hash =
            connection.serverVersion >= 110_000
            ? "hashtextextended(\(relation)::text, 0)" : "hashtext(\(relation)::text)"
        let isLasting = "n.nspname !~ '^pg_(toast_)?temp'"
        var queries = [
            """
            SELECT count(*), sum(\(hash)::numeric) FROM pg_class c
            WHERE c.oid >= \(firstOfUsers) AND c.relpersistence <> 't'
            """,
            catalog("pg_class t WHERE t.oid < \(firstOfUsers)"),
            catalog("pg_namespace t CROSS JOIN LATERAL (SELECT t.nspname) n WHERE \(isLasting)"),
            catalog("pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE \(isLasting)"),
            // What belongs to an extension is written nowhere else.
            catalog("pg_depend t WHERE t.deptype = 'e'"),
        ]
        for (name, column) in ofRelations {
            queries.append(
                catalog(
                    "\(name) t LEFT JOIN pg_class r ON r.oid = t.\(column) WHERE r.relpersistence IS DISTINCT FROM 't'")
            )
        }
        let names = others + (connection.serverVersion >= 150_000 ? ["pg_publication_namespace"] : [])
        queries += names.map { catalog("\($0) t") }
        let union = queries.enumerated().map { "SELECT \($0), q.* FROM (\($1)) q" }.joined(separator: " UNION ALL ")
        return try connection.text(
            "SELECT string_agg(n || ' ' || coalesce(s, 0), ',' ORDER BY k) FROM (\(union)) u (k, n, s)") ?? ""
    }

    private static func catalog(_ from: String) -> String {
        "SELECT count(*), sum(t.xmin::text::numeric) FROM \(from)"
    }
}
