internal import BackupCore

/// A declared foreign key between tables that hold rows or are partitioned.
struct PostgreSQLReference {
    var name: String
    var child: UInt32
    var parent: UInt32
    var childName: PostgreSQLName
    var parentName: PostgreSQLName
    /// The columns of the child, and for each that of the parent and how the two are compared, parent first.
    var columns: [(from: String, to: String, compare: String)]
    /// Whether a key may not be null in part.
    var isFull: Bool

    /// All that a database declares. Those of a partitioned table stand for its partitions as well, and come once for
    /// each partition of the child.
    static func all(on connection: PostgreSQLConnection) throws(BackupError) -> [PostgreSQLReference] {
        // For each partition of the parent the server has one more of its own.
        let isDeclared =
            connection.serverVersion >= 110_000
            ? """
            NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.oid = k.conparentid AND o.conrelid = k.conrelid)
            """ : "true"
        let result = try connection.query(
            """
            SELECT k.conname, k.conrelid, k.confrelid, cn.nspname, c.relname, pn.nspname, p.relname,
                k.confmatchtype = 'f', \(names("conkey", "conrelid")), \(names("confkey", "confrelid")),
                (SELECT string_agg(format('OPERATOR(%I.%s)', n.nspname, o.oprname), chr(31) ORDER BY u.place)
                    FROM unnest(k.conpfeqop) WITH ORDINALITY u(oid, place) JOIN pg_operator o ON o.oid = u.oid
                    JOIN pg_namespace n ON n.oid = o.oprnamespace)
            FROM pg_constraint k
            JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
            JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
            WHERE k.contype = 'f' AND \(isDeclared) ORDER BY 4, 5, 1
            """)
        return (0..<result.rowCount).map { row in
            let (from, to, compare) = (result.list(row, 8), result.list(row, 9), result.list(row, 10))
            return PostgreSQLReference(
                name: result.value(row, 0), child: UInt32(result.value(row, 1)) ?? 0,
                parent: UInt32(result.value(row, 2)) ?? 0,
                childName: PostgreSQLName(schema: result.value(row, 3), name: result.value(row, 4)),
                parentName: PostgreSQLName(schema: result.value(row, 5), name: result.value(row, 6)),
                columns: from.indices.map { (from[$0], to[$0], compare[$0]) }, isFull: result.flag(row, 7))
        }
    }

    private static func names(_ key: String, _ table: String) -> String {
        """
        (SELECT string_agg(a.attname, chr(31) ORDER BY u.place) FROM unnest(k.\(key)) WITH ORDINALITY u(number, place)
            JOIN pg_attribute a ON a.attrelid = k.\(table) AND a.attnum = u.number)
        """
    }

    /// A query that counts the rows of the child that refer to nothing, and gives the first such value.
    ///
    /// - Parameters:
    ///   - child: the rows that refer, as a relation or a query in parentheses.
    ///   - parent: those that may be referred to.
    func danglingQuery(child: String, parent: String) -> String {
        let from = columns.map { "c." + PostgreSQLName.quote($0.from) }
        let isKey = from.map { "\($0) IS NOT NULL" }.joined(separator: isFull ? " OR " : " AND ")
        let match = columns.map { "p.\(PostgreSQLName.quote($0.to)) \($0.compare) c.\(PostgreSQLName.quote($0.from))" }
        return """
            SELECT count(*), min(concat_ws(', ', \(from.map { "\($0)::text" }.joined(separator: ", "))))
            FROM \(child) c WHERE (\(isKey)) AND NOT EXISTS (
                SELECT 1 FROM \(parent) p WHERE \(match.joined(separator: " AND ")))
            """
    }

    /// The referring columns as an error names them.
    var columnList: String { columns.map { "\"\($0.from)\"" }.joined(separator: ", ") }
}

/// Which tables hold the rows of a partitioned one.
struct PostgreSQLPartitions {
    /// By the partition's number, that of the table it is part of.
    private(set) var parents: [UInt32: UInt32] = [:]
    private var children: [UInt32: [UInt32]] = [:]

    init(on connection: PostgreSQLConnection) throws(BackupError) {
        let result = try connection.query(
            """
            SELECT i.inhrelid, i.inhparent FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
            WHERE p.relkind = 'p' ORDER BY 1
            """)
        for row in 0..<result.rowCount {
            guard let child = UInt32(result.value(row, 0)), let parent = UInt32(result.value(row, 1)) else { continue }
            parents[child] = parent
            children[parent, default: []].append(child)
        }
    }

    /// The tables with rows that a table consists of: itself, where it is not partitioned.
    func leaves(of table: UInt32) -> [UInt32] {
        guard let parts = children[table] else { return [table] }
        return parts.flatMap(leaves)
    }
}
