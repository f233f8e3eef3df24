internal import BackupCore

/// Whether somebody wrote to a database's catalogs between two moments.
///
/// Each row of a catalog tells which transaction wrote it: where the latest of them and the number of rows are the same,
/// nothing was made or changed. That takes a few milliseconds, and holds within one database only.
enum PostgreSQLCatalogMark {
    private static let catalogs = [
        "pg_class", "pg_attribute", "pg_attrdef", "pg_type", "pg_proc", "pg_namespace", "pg_constraint", "pg_index",
        "pg_inherits", "pg_trigger", "pg_rewrite", "pg_policy", "pg_extension", "pg_default_acl", "pg_description",
        "pg_event_trigger", "pg_publication", "pg_publication_rel", "pg_enum", "pg_cast", "pg_operator", "pg_opclass",
        "pg_aggregate", "pg_collation", "pg_conversion", "pg_language", "pg_statistic_ext", "pg_foreign_server",
        "pg_foreign_data_wrapper", "pg_foreign_table", "pg_ts_config", "pg_ts_dict", "pg_largeobject_metadata",
    ]

    static func text(on connection: PostgreSQLConnection) throws(BackupError) -> String {
        let parts = catalogs.map { catalog in
            "(SELECT count(*) || '/' || coalesce(max(xmin::text::bigint), 0) FROM \(catalog))"
        }
        return try connection.text("SELECT concat_ws(' ', \(parts.joined(separator: ", ")))") ?? ""
    }
}
