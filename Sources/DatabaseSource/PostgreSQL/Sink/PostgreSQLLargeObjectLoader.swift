internal import BackupCore

/// Makes large objects and fills them.
struct PostgreSQLLargeObjectLoader {
    let connection: PostgreSQLConnection

    /// The pieces wait here until all of them are there.
    private static let waiting = "pg_temp.elder_backup_pieces"
    static let copyIn = "COPY \(waiting) (loid, pageno, data) FROM STDIN"

    func prepare() throws(BackupError) {
        try connection.execute(
            "CREATE TEMPORARY TABLE elder_backup_pieces (loid oid, pageno integer, data bytea) ON COMMIT DROP")
    }

    /// The numbers of objects as lists of a bearable length.
    private func lists(_ objects: [PostgreSQLDefinitions.LargeObject]) -> [String] {
        stride(from: 0, to: objects.count, by: 1000).map { start in
            objects[start..<min(start + 1000, objects.count)].map { "\($0.oid)" }.joined(separator: ",")
        }
    }

    /// - Parameter replacing: whether objects with the same numbers may be there.
    func check(_ objects: [PostgreSQLDefinitions.LargeObject], replacing: Bool) throws(BackupError) {
        guard !replacing else { return }
        for list in lists(objects) {
            let query = "SELECT min(oid::bigint) FROM pg_largeobject_metadata WHERE oid IN (\(list))"
            guard let first = try connection.text(query) else { continue }
            throw BackupError(
                .target,
                "the target has a large object \(first) already; use --clear-existing to replace those of the "
                    + "archive, or leave them out with --tables")
        }
    }

    func create(_ objects: [PostgreSQLDefinitions.LargeObject]) throws(BackupError) {
        for list in lists(objects) {
            try connection.execute(
                "SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid IN (\(list))")
            try connection.execute("SELECT lo_create(o) FROM unnest(ARRAY[\(list)]::oid[]) o")
        }
    }

    /// Puts the pieces into their objects, in the transaction that made these.
    func fill() throws(BackupError) {
        try connection.execute(
            "SELECT count(lo_put(loid, pageno::bigint * \(PostgreSQLLargeObjects.pieceSize), data)::text) FROM "
                + PostgreSQLLargeObjectLoader.waiting)
    }

    func finish(_ objects: [PostgreSQLDefinitions.LargeObject], skipsOwners: Bool) throws(BackupError) {
        for object in objects {
            if let comment = object.comment {
                try connection.execute(
                    "COMMENT ON LARGE OBJECT \(object.oid) IS \(PostgreSQLName.literal(comment))")
            }
            if skipsOwners { continue }
            try restoreRights(object)
        }
    }

    private func restoreRights(_ object: PostgreSQLDefinitions.LargeObject) throws(BackupError) {
        let owner = PostgreSQLName.quote(object.owner)
        if object.owner != connection.userName {
            try connection.execute("ALTER LARGE OBJECT \(object.oid) OWNER TO \(owner)")
        }
        guard let grants = object.grants else { return }
        try connection.execute("REVOKE ALL ON LARGE OBJECT \(object.oid) FROM \(owner)")
        for grant in grants where ["SELECT", "UPDATE"].contains(grant.privilege) {
            let role = grant.role.isEmpty ? "PUBLIC" : PostgreSQLName.quote(grant.role)
            try connection.execute(
                "GRANT \(grant.privilege) ON LARGE OBJECT \(object.oid) TO \(role)"
                    + (grant.isGrantable ? " WITH GRANT OPTION" : ""))
        }
    }
}
