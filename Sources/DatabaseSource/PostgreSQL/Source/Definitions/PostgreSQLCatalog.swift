internal import BackupCore

/// Reads what a database holds besides tables with rows.
struct PostgreSQLCatalog {
    let connection: PostgreSQLConnection

    // MARK: Sequences

    /// The state of every sequence that is the user's.
    func sequences() throws(BackupError) -> [PostgreSQLDefinitions.Sequence] {
        let list = try connection.query(
            """
            SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'S' AND c.relpersistence NOT IN (\(connection.isStandby ? "'t', 'u'" : "'t'")) AND \(PostgreSQLTableListing.isUsersSchema)
              AND (\(PostgreSQLTableListing.isNoMember("pg_class", "c.oid"))
                OR EXISTS (SELECT 1 FROM pg_extension x WHERE c.oid = ANY (x.extconfig)))
            ORDER BY 1, 2
            """)
        let names = (0..<list.rowCount).map {
            PostgreSQLName(schema: list.value($0, 0), name: list.value($0, 1))
        }
        var sequences: [PostgreSQLDefinitions.Sequence] = []
        // A sequence is read like a table; many of them in one statement.
        for start in stride(from: 0, to: names.count, by: 100) {
            let part = names[start..<min(start + 100, names.count)]
            let query = part.enumerated().map { index, name in
                "SELECT \(index), last_value, is_called FROM \(name.quoted)"
            }.joined(separator: " UNION ALL ")
            let result = try connection.query(query + " ORDER BY 1")
            for (row, name) in part.enumerated() where row < result.rowCount {
                sequences.append(
                    PostgreSQLDefinitions.Sequence(
                        schema: name.schema.text, name: name.name.text, lastValue: result.integer(row, 1) ?? 1,
                        isCalled: result.flag(row, 2)))
            }
        }
        return sequences
    }

    // MARK: Materialised views

    /// Those that hold rows, each behind those whose rows it is made from.
    func materializedViews() throws(BackupError) -> [PostgreSQLDefinitions.View] {
        let views = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind = 'm' AND c.relispopulated
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('m', 'v') AND \(PostgreSQLTableListing.isUsersSchema)
              AND \(PostgreSQLTableListing.isNoMember("pg_class", "c.oid"))
            ORDER BY 2, 3
            """)
        let edges = try connection.query(
            """
            SELECT DISTINCT r.ev_class, d.refobjid FROM pg_rewrite r
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
            """)
        var sources: [String: [String]] = [:]
        for row in 0..<edges.rowCount { sources[edges.value(row, 0), default: []].append(edges.value(row, 1)) }
        let rows = Dictionary(
            (0..<views.rowCount).map { (views.value($0, 0), $0) }, uniquingKeysWith: { first, _ in first })
        var done: Set<String> = []
        var order: [PostgreSQLDefinitions.View] = []
        func visit(_ oid: String) {
            guard let row = rows[oid], done.insert(oid).inserted else { return }
            for source in sources[oid] ?? [] { visit(source) }
            if views.flag(row, 3) {
                order.append(PostgreSQLDefinitions.View(schema: views.value(row, 1), name: views.value(row, 2)))
            }
        }
        for row in 0..<views.rowCount { visit(views.value(row, 0)) }
        return order
    }

    // MARK: Large objects

    /// Owner, grants and comment of every large object.
    func largeObjects() throws(BackupError) -> [PostgreSQLDefinitions.LargeObject] {
        let result = try connection.query(
            """
            SELECT m.oid, pg_get_userbyid(m.lomowner), m.lomacl IS NOT NULL, g.grantee, g.privilege_type,
                g.is_grantable, obj_description(m.oid, 'pg_largeobject')
            FROM pg_largeobject_metadata m
            LEFT JOIN LATERAL (
                SELECT CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee)::text END AS grantee,
                    a.privilege_type, a.is_grantable
                FROM aclexplode(m.lomacl) a
            ) g ON true
            ORDER BY 1, 4, 5
            """)
        var objects: [PostgreSQLDefinitions.LargeObject] = []
        for row in 0..<result.rowCount {
            let oid = UInt32(result.value(row, 0)) ?? 0
            if objects.last?.oid != oid {
                objects.append(
                    PostgreSQLDefinitions.LargeObject(
                        oid: oid, owner: result.value(row, 1), grants: result.flag(row, 2) ? [] : nil,
                        comment: result.text(row, 6)))
            }
            if let privilege = result.text(row, 4) {
                objects[objects.count - 1].grants?.append(
                    PostgreSQLDefinitions.Grant(
                        role: result.value(row, 3), privilege: privilege, isGrantable: result.flag(row, 5)))
            }
        }
        return objects
    }
}

/// Large objects as a table of an archive: a row for each piece of 256 KiB.
enum PostgreSQLLargeObjects {
    static let name = PostgreSQLName(schema: "pg_catalog", name: "pg_largeobject")
    /// Bytes of a piece.
    static let pieceSize = 256 * 1024

    static let columns = [
        PostgreSQLColumn(name: "loid", type: "oid", baseType: 26),
        PostgreSQLColumn(name: "pageno", type: "integer", baseType: 23),
        PostgreSQLColumn(name: "data", type: "bytea", baseType: 17),
    ]

    static let description = TableDescription(
        name: name.archiveKey,
        columns: columns.map { ColumnDescription(name: $0.name, type: $0.type, encoding: $0.encoding) })

    /// Reads all pieces through the functions that check each object's own rights: the table itself is for superusers.
    /// The descriptor that tells an object's size is closed before the next one is opened.
    static let copyOut = """
        COPY (
            SELECT s.oid, g.n::integer, pg_catalog.lo_get(s.oid, g.n * \(pieceSize), \(pieceSize))
            FROM (
                SELECT o.oid, pg_catalog.lo_lseek64(o.fd, 0, 2) AS size, pg_catalog.lo_close(o.fd) AS closed
                FROM (
                    SELECT m.oid, pg_catalog.lo_open(m.oid, 262144) AS fd
                    FROM pg_catalog.pg_largeobject_metadata m OFFSET 0
                ) o OFFSET 0
            ) s,
            LATERAL pg_catalog.generate_series(0, (s.size + \(pieceSize - 1)) / \(pieceSize) - 1) g(n)
        ) TO STDOUT
        """
}
