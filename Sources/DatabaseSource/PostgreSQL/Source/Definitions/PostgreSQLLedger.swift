internal import BackupCore

/// What a backup holds of every object of a PostgreSQL database.
struct PostgreSQLLedger {
    let connection: PostgreSQLConnection
    let selection: PostgreSQLSelection
    let tables: [PostgreSQLTable]
    let secrets: [String: Set<String>]
    /// Whether the definitions are held: without pg_dump only rows are.
    let hasDefinitions: Bool
    let globals: PostgreSQLGlobals

    private static let withoutDefinition = "without pg_dump only rows are backed up"

    func entries() throws(BackupError) -> [LedgerEntry] {
        var entries = tables.map(tableEntry)
        entries += try otherRelations()
        entries += try objects()
        entries += try largeObjects()
        entries += try serverObjects()
        return entries
    }

    private func tableEntry(_ table: PostgreSQLTable) -> LedgerEntry {
        var reasons: [String] = []
        var holding = LedgerEntry.Holding.stored
        if let reason = selection.excluded[table.name] {
            holding = .excluded
            reasons.append(reason)
        } else if !hasDefinitions {
            reasons.append("its rows only: \(PostgreSQLLedger.withoutDefinition)")
        }
        if !table.generatedColumns.isEmpty {
            let isOne = table.generatedColumns.count == 1
            reasons.append(
                "generated column\(isOne ? "" : "s") \(table.generatedColumns.joined(separator: ", ")) "
                    + "\(isOne ? "is" : "are") computed anew")
        }
        if let name = table.extensionName {
            reasons.append("made by extension \(name), which names the rows that are the user's")
        }
        let hidden = secrets[table.name.archiveKey] ?? []
        if !hidden.isEmpty { reasons.append("secrets are left out: \(hidden.sorted().joined(separator: ", "))") }
        return LedgerEntry(
            type: table.isUnlogged ? "unlogged table" : "table", name: table.name.archiveKey, holding: holding,
            reason: reasons.isEmpty ? nil : reasons.joined(separator: "; "))
    }

    /// Everything in `pg_class` but tables with rows. A kind that is not known here fails the backup.
    private func otherRelations() throws(BackupError) -> [LedgerEntry] {
        let result = try connection.query(
            """
            SELECT c.relkind, n.nspname, c.relname, c.relpersistence, c.relispopulated FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(PostgreSQLTableListing.isUsersSchema) AND (c.relkind <> 'r' OR c.relpersistence = 't')
              AND \(PostgreSQLTableListing.isNoMember("pg_class", "c.oid"))
            ORDER BY 1, 2, 3
            """)
        var entries: [LedgerEntry] = []
        for row in 0..<result.rowCount {
            let name = PostgreSQLName(schema: result.value(row, 1), name: result.value(row, 2)).archiveKey
            let kind = result.value(row, 0)
            if result.value(row, 3) == "t" {
                entries.append(
                    LedgerEntry(
                        type: "temporary relation", name: name, holding: .unsupported, reason: "ends with its session"))
                continue
            }
            var entry: LedgerEntry
            switch kind {
            case "p": entry = LedgerEntry(type: "partitioned table", name: name, holding: .definition)
            case "v": entry = LedgerEntry(type: "view", name: name, holding: .definition)
            case "m":
                entry = LedgerEntry(
                    type: "materialized view", name: name, holding: .recomputed,
                    reason: result.flag(row, 4) ? "refreshed by a restore" : "it was not populated")
            case "S":
                let isMissing = connection.isStandby && result.value(row, 3) == "u"
                entry = LedgerEntry(
                    type: "sequence", name: name, holding: isMissing ? .definition : .stored,
                    reason: isMissing ? PostgreSQLSelection.withoutRowsOnStandby : nil)
            case "f":
                entry = LedgerEntry(
                    type: "foreign table", name: name, holding: .definition, reason: "its rows are on another server")
            case "c": entry = LedgerEntry(type: "composite type", name: name, holding: .definition)
            case "i", "I": entry = LedgerEntry(type: "index", name: name, holding: .recomputed)
            case "t": continue
            default:
                throw BackupError(
                    .unsupported,
                    "the database holds \"\(name)\", a relation of a kind that is not known here (\(kind))")
            }
            entries.append(held(entry))
        }
        return entries
    }

    func held(_ entry: LedgerEntry) -> LedgerEntry {
        guard !hasDefinitions, entry.holding != .stored else { return entry }
        return LedgerEntry(
            type: entry.type, name: entry.name, holding: .unsupported, reason: PostgreSQLLedger.withoutDefinition)
    }

    /// A catalog that `pg_class` does not list: the words for its objects, how their names are read, which ones count.
    private struct Catalog {
        var name: String
        var type: String
        var title: String
        var condition: String

        init(_ name: String, _ type: String, _ title: String, _ condition: String = "true") {
            self.name = name
            self.type = type
            self.title = title
            self.condition = condition
        }

        /// A catalog whose objects have a plain name and a schema.
        init(_ name: String, _ type: String, name column: String, schema: String) {
            self.init(name, type, "quote_ident(o.\(column))", userSchema(schema))
        }
    }

    private static var catalogs: [Catalog] {
        let dataTypes = " AND o.typtype IN ('e', 'd', 'r', 'b', 'm') AND o.typelem = 0 AND o.typisdefined"
        let ofTable = "|| coalesce(' on ' || nullif(o.conrelid, 0)::regclass::text, '')"
        let inSchema = "|| coalesce(' in ' || nullif(o.defaclnamespace, 0)::regnamespace::text, '')"
        let castTypes = "format_type(o.castsource, NULL) || ' as ' || format_type(o.casttarget, NULL)"
        let usersSchemas = "o.nspname !~ '^pg_' AND o.nspname <> 'information_schema'"
        return [
            Catalog("pg_proc", "function", "o.oid::regprocedure::text", userSchema("pronamespace")),
            Catalog("pg_type", "type", "format_type(o.oid, NULL)", userSchema("typnamespace") + dataTypes),
            Catalog("pg_namespace", "schema", "quote_ident(o.nspname)", usersSchemas),
            Catalog("pg_extension", "extension", "quote_ident(o.extname)", "o.extname <> 'plpgsql'"),
            Catalog("pg_trigger", "trigger", onTable("tgname", "tgrelid"), "NOT o.tgisinternal"),
            Catalog(
                "pg_rewrite", "rule", onTable("rulename", "ev_class"),
                "o.rulename <> '_RETURN' AND " + userClass("ev_class")),
            Catalog(
                "pg_constraint", "constraint", "quote_ident(o.conname)" + ofTable, userSchema("connamespace")),
            Catalog("pg_policy", "policy", onTable("polname", "polrelid")),
            Catalog("pg_event_trigger", "event trigger", "quote_ident(o.evtname)"),
            Catalog("pg_publication", "publication", "quote_ident(o.pubname)"),
            Catalog("pg_operator", "operator", "o.oid::regoperator::text", userSchema("oprnamespace")),
            Catalog("pg_opclass", "operator class", name: "opcname", schema: "opcnamespace"),
            Catalog("pg_opfamily", "operator family", name: "opfname", schema: "opfnamespace"),
            Catalog("pg_collation", "collation", name: "collname", schema: "collnamespace"),
            Catalog("pg_conversion", "conversion", name: "conname", schema: "connamespace"),
            Catalog("pg_ts_config", "text search configuration", name: "cfgname", schema: "cfgnamespace"),
            Catalog("pg_ts_dict", "text search dictionary", name: "dictname", schema: "dictnamespace"),
            Catalog("pg_ts_parser", "text search parser", name: "prsname", schema: "prsnamespace"),
            Catalog("pg_ts_template", "text search template", name: "tmplname", schema: "tmplnamespace"),
            Catalog("pg_statistic_ext", "statistics", name: "stxname", schema: "stxnamespace"),
            Catalog("pg_cast", "cast", castTypes, byUser),
            Catalog("pg_transform", "transform", "format_type(o.trftype, NULL)", byUser),
            Catalog("pg_language", "language", "quote_ident(o.lanname)", byUser),
            Catalog("pg_am", "access method", "quote_ident(o.amname)", byUser),
            Catalog("pg_foreign_data_wrapper", "foreign-data wrapper", "quote_ident(o.fdwname)"),
            Catalog("pg_foreign_server", "foreign server", "quote_ident(o.srvname)"),
            Catalog("pg_default_acl", "default privileges", "pg_get_userbyid(o.defaclrole)" + inSchema),
        ]
    }

    private static func onTable(_ name: String, _ table: String) -> String {
        "quote_ident(o.\(name)) || ' on ' || o.\(table)::regclass::text"
    }

    /// Objects with numbers below this one came with the server.
    private static let byUser = "o.oid >= 16384"

    private static func userSchema(_ column: String) -> String {
        """
        EXISTS (SELECT 1 FROM pg_namespace n WHERE n.oid = o.\(column) AND \(PostgreSQLTableListing.isUsersSchema))
        """
    }

    private static func userClass(_ column: String) -> String {
        """
        EXISTS (SELECT 1 FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace
            WHERE k.oid = o.\(column) AND \(PostgreSQLTableListing.isUsersSchema))
        """
    }

    private func objects() throws(BackupError) -> [LedgerEntry] {
        let query = PostgreSQLLedger.catalogs.map { part in
            """
            (SELECT \(PostgreSQLName.literal(part.type)) AS type, \(part.title) AS name FROM \(part.name) o
            WHERE \(part.condition) AND \(PostgreSQLTableListing.isNoMember(part.name, "o.oid")))
            """
        }.joined(separator: " UNION ALL ")
        let result = try connection.query("SELECT type, name FROM (\(query)) x ORDER BY 1, 2")
        var entries = (0..<result.rowCount).map { row in
            held(LedgerEntry(type: result.value(row, 0), name: result.value(row, 1), holding: .definition))
        }
        let subscriptions = try connection.query(
            "SELECT quote_ident(subname) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database "
                + "WHERE datname = current_database()) ORDER BY 1")
        // pg_dump passes them over for all but superusers.
        let isSuperuser = try connection.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "t"
        for row in 0..<subscriptions.rowCount {
            let name = subscriptions.value(row, 0)
            entries.append(
                isSuperuser
                    ? held(LedgerEntry(type: "subscription", name: name, holding: .definition))
                    : LedgerEntry(
                        type: "subscription", name: name, holding: .unsupported,
                        reason: "only a superuser can read it"))
        }
        return entries
    }

    private func largeObjects() throws(BackupError) -> [LedgerEntry] {
        let count = try connection.text("SELECT count(*) FROM pg_largeobject_metadata") ?? "0"
        guard count != "0" else { return [] }
        let reason = selection.excluded[PostgreSQLLargeObjects.name]
        return [
            LedgerEntry(
                type: "large objects", name: "\(count)", holding: reason == nil ? .stored : .excluded, reason: reason)
        ]
    }
}
