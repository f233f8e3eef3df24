internal import BackupCore

/// Which tables' rows a backup holds.
struct PostgreSQLSelection {
    /// Those whose rows are read, in order.
    private(set) var tables: [PostgreSQLTable]
    private(set) var holdsLargeObjects: Bool
    /// Tables whose rows are left out, with the words for why.
    private(set) var excluded: [PostgreSQLName: String] = [:]
    /// The unlogged tables whose rows a standby does not have; nil of a primary.
    private(set) var unloggedOnStandby: [String]?

    /// - Parameter parents: the tables that each partitioned or inherited-from table stands for.
    /// - Throws: ``BackupError/Code/notFound`` naming every table that is not there.
    init(
        of all: [PostgreSQLTable], parents: [PostgreSQLName: [PostgreSQLName]], hasLargeObjects: Bool,
        isStandby: Bool, options: SnapshotOptions
    ) throws(BackupError) {
        var names = Set(all.map(\.name))
        if hasLargeObjects { names.insert(PostgreSQLLargeObjects.name) }
        let left = try PostgreSQLSelection.resolve(options.excludedTables, "--exclude-tables", names, parents)
        var chosen: Set<PostgreSQLName>?
        if let included = options.includedTables {
            chosen = try PostgreSQLSelection.resolve(included, "--tables", names, parents)
        }
        for name in names {
            if left.contains(name) {
                excluded[name] = "rows left out by --exclude-tables"
            } else if let chosen, !chosen.contains(name) {
                excluded[name] = "rows left out by --tables"
            }
        }
        if isStandby {
            let known = excluded
            let unlogged = all.filter { $0.isUnlogged && known[$0.name] == nil }
            for table in unlogged { excluded[table.name] = PostgreSQLSelection.withoutRowsOnStandby }
            unloggedOnStandby = unlogged.map(\.name.archiveKey)
        }
        let leftOut = excluded
        tables = all.filter { leftOut[$0.name] == nil }
        holdsLargeObjects = hasLargeObjects && leftOut[PostgreSQLLargeObjects.name] == nil
    }

    static let withoutRowsOnStandby = "unlogged: a standby does not have its content"

    private static func resolve(
        _ texts: [String], _ option: String, _ names: Set<PostgreSQLName>,
        _ parents: [PostgreSQLName: [PostgreSQLName]]
    ) throws(BackupError) -> Set<PostgreSQLName> {
        var found: Set<PostgreSQLName> = []
        var unknown: [String] = []
        for text in texts {
            let candidates = [PostgreSQLName(archiveKey: text)] + plainlyQualified(text)
            if let name = candidates.first(where: { names.contains($0) || parents[$0] != nil }) {
                if names.contains(name) { found.insert(name) }
                found.formUnion(parents[name] ?? [])
            } else {
                unknown.append("\"\(text)\"")
            }
        }
        guard unknown.isEmpty else {
            throw BackupError(
                .notFound,
                "the database has no table \(unknown.joined(separator: ", ")) (\(option)); check the spelling: a table "
                    + "outside of the schema public is SCHEMA.TABLE")
        }
        return found
    }

    /// `schema.table` without quotes.
    private static func plainlyQualified(_ text: String) -> [PostgreSQLName] {
        guard let dot = text.firstIndex(of: ".") else { return [] }
        return [PostgreSQLName(schema: String(text[..<dot]), name: String(text[text.index(after: dot)...]))]
    }
}

extension PostgreSQLTableListing {
    /// For each partitioned table the partitions that hold its rows. A table that others inherit from has rows of its
    /// own and stands for itself alone.
    func partitions() throws(BackupError) -> [PostgreSQLName: [PostgreSQLName]] {
        let result = try connection.query(
            """
            WITH RECURSIVE below(root, oid) AS (
                SELECT oid, oid FROM pg_class WHERE relkind = 'p'
                UNION
                SELECT b.root, i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid
            )
            SELECT rn.nspname, r.relname, n.nspname, c.relname, c.relkind = 'r' FROM below b
            JOIN pg_class r ON r.oid = b.root JOIN pg_namespace rn ON rn.oid = r.relnamespace
            JOIN pg_class c ON c.oid = b.oid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(PostgreSQLTableListing.isUsersSchema)
            """)
        var partitions: [PostgreSQLName: [PostgreSQLName]] = [:]
        for row in 0..<result.rowCount {
            let root = PostgreSQLName(schema: result.value(row, 0), name: result.value(row, 1))
            let leaf = PostgreSQLName(schema: result.value(row, 2), name: result.value(row, 3))
            partitions[root, default: []] += result.flag(row, 4) ? [leaf] : []
        }
        return partitions
    }
}
