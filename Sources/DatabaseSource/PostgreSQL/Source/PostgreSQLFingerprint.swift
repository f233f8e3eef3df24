internal import BackupCore

/// Whether the definitions in a database changed between two moments.
///
/// pg_dump takes locks of its own, and one of them would wait for ever behind somebody who waits for those of the
/// snapshot. So it runs before the snapshot, and what it wrote counts if nothing that it reads has changed by then.
enum PostgreSQLFingerprint {
    /// Columns of `pg_class` and `pg_attribute` that define something; others change by TRUNCATE, VACUUM and ANALYZE.
    private static let relation = """
        ROW(c.oid, c.relname, c.relnamespace, c.reltype, c.reloftype, c.relowner, c.relam, c.reltablespace,
            c.relpersistence, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relispopulated, c.relreplident,
            c.relispartition, c.relacl, c.reloptions, pg_get_expr(c.relpartbound, c.oid))
        """
    private static let attribute = """
        ROW(a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attstorage, a.attnotnull, a.atthasdef,
            a.attidentity, a.attisdropped, a.attislocal, a.attinhcount, a.attcollation, a.attacl, a.attoptions,
            a.attfdwoptions, a.attstattarget)
        """

    /// Catalogs whose rows belong to a relation, with the column that names it: those of temporary ones do not count.
    private static let ofRelations = [
        ("pg_constraint", "conrelid"), ("pg_attrdef", "adrelid"), ("pg_trigger", "tgrelid"), ("pg_rewrite", "ev_class"),
        ("pg_inherits", "inhrelid"), ("pg_sequence", "seqrelid"), ("pg_policy", "polrelid"),
    ]
    private static let others = [
        "pg_proc", "pg_namespace", "pg_extension", "pg_description", "pg_seclabel", "pg_default_acl", "pg_init_privs",
        "pg_partitioned_table", "pg_event_trigger", "pg_publication", "pg_publication_rel", "pg_operator", "pg_opclass",
        "pg_opfamily", "pg_amop", "pg_amproc", "pg_collation", "pg_conversion", "pg_ts_config", "pg_ts_config_map",
        "pg_ts_dict", "pg_ts_parser", "pg_ts_template", "pg_cast", "pg_transform", "pg_language", "pg_am",
        "pg_foreign_data_wrapper", "pg_foreign_server", "pg_foreign_table", "pg_statistic_ext", "pg_aggregate",
        "pg_enum", "pg_range",
    ]

    /// A text that is the same as long as the definitions are.
    static func text(on connection: PostgreSQLConnection) throws(BackupError) -> String {
        // A server may refuse MD5; before 11 it has nothing else.
        let hash = connection.serverVersion >= 110_000 ? "hashtextextended(x, 0)::numeric" : "hashtext(x)::numeric"
        let isLasting = "r.relpersistence <> 't'"
        var queries = [
            "SELECT 1 AS k, \(relation)::text AS x FROM pg_class c WHERE c.relpersistence <> 't'",
            """
            SELECT 2, \(attribute)::text FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
            WHERE a.attnum > 0 AND \(isLasting)
            """,
            """
            SELECT 3, ROW(i.indexrelid, i.indrelid, i.indisclustered, i.indisreplident, i.indisvalid,
                pg_get_indexdef(i.indexrelid))::text
            FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid JOIN pg_namespace n ON n.oid = r.relnamespace
            WHERE \(isLasting) AND \(PostgreSQLTableListing.isUsersSchema)
            """,
            """
            SELECT 4, t::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE n.nspname !~ '^pg_(toast_)?temp'
            """,
        ]
        for (index, (catalog, column)) in ofRelations.enumerated() {
            queries.append(
                """
                SELECT \(10 + index), t::text FROM \(catalog) t LEFT JOIN pg_class r ON r.oid = t.\(column)
                WHERE r.oid IS NULL OR \(isLasting)
                """)
        }
        for (index, catalog) in others.enumerated() {
            let condition = catalog == "pg_namespace" ? " WHERE t.nspname !~ '^pg_(toast_)?temp'" : ""
            queries.append("SELECT \(100 + index), t::text FROM \(catalog) t\(condition)")
        }
        let union = queries.joined(separator: " UNION ALL ")
        return try connection.text(
            "SELECT string_agg(k || ' ' || n || ' ' || s, ',' ORDER BY k) FROM (SELECT k, count(*) AS n, "
                + "sum(\(hash)) AS s FROM (\(union)) u GROUP BY k) v") ?? ""
    }
}
