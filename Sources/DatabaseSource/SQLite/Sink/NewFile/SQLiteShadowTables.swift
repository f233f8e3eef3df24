internal import BackupCore

/// Which tables really hold the content of a virtual table.
///
/// SQLite calls every table a shadow table whose name its virtual table's module could use, also where the module does
/// not: `docs_content` beside an FTS5 table `docs` whose content is elsewhere is an ordinary table with rows of its own.
enum SQLiteShadowTables {
    /// The schema with tables that only look like shadow tables as ordinary ones.
    ///
    /// The modules are asked, in a private database. A schema that cannot be rebuilt there stays as it is: what is
    /// wrong with it is said where it is used.
    static func settled(_ schema: SQLiteSchema, trustSchema: Bool) -> SQLiteSchema {
        guard schema.objects.contains(where: { $0.kind == .shadowTable }),
            let made = try? SQLiteSchemaReplay.shadowTables(of: schema, trustSchema: trustSchema)
        else { return schema }
        let modules = Dictionary(
            schema.objects.filter { $0.kind == .virtualTable }.map { (SQLiteName($0.name), $0.module) },
            uniquingKeysWith: { first, _ in first })
        var settled = schema
        for (index, object) in schema.objects.enumerated() where object.kind == .shadowTable {
            let module = object.owner.flatMap { modules[SQLiteName($0)] ?? nil }
            if made.contains(SQLiteName(object.name)) || isMadeLater(object, by: module) { continue }
            settled.objects[index].kind = .table
            settled.objects[index].owner = nil
        }
        return settled
    }

    /// The one table that a module makes when it first needs it: FTS3 and FTS4 keep statistics.
    private static func isMadeLater(_ object: SQLiteSchema.Object, by module: String?) -> Bool {
        let module = asciiLowercased(module ?? "")
        if SQLiteAuthorizer.knownModules.contains(module) {
            return (module == "fts3" || module == "fts4") && asciiLowercased(object.name).hasSuffix("_stat")
                && object.sql?.hasSuffix("(id INTEGER PRIMARY KEY, value BLOB)") == true
        }
        // Of other modules nothing is known.
        return true
    }
}
