package import BackupCore
internal import GRDB

extension SQLiteCatalog {
    package func createToken(_ token: AccessToken, hash: String) throws -> AccessToken {
        try write { database in
            let same = try SQLiteCatalog.selectTokens("WHERE name = ?", [token.name], database)
            if let holder = same.first(where: { $0.isValid(at: token.createdAt) }) {
                throw BackupError(
                    .usage,
                    "there is a token named \"\(token.name)\" already, token \(holder.id): choose another name, or revoke "
                        + "it first")
            }
            let values: [String: DatabaseValue] = [
                "name": token.name.databaseValue, "role": token.role.rawValue.databaseValue,
                "hash": hash.databaseValue, "created_at": token.createdAt.sql.databaseValue,
                "expires_at": (token.expiresAt?.sql).databaseValue,
            ]
            try SQLiteCatalog.insert(values, into: "api_tokens", database)
            var created = token
            created.id = database.lastInsertedRowID
            return created
        }
    }

    package func tokens() throws -> [AccessToken] {
        try read { try SQLiteCatalog.selectTokens("ORDER BY id", [], $0) }
    }

    package func token(hash: String) throws -> AccessToken? {
        try read { try SQLiteCatalog.selectTokens("WHERE hash = ?", [hash], $0).first }
    }

    package func noteUse(ofToken id: Int64, at now: Timestamp) throws {
        try write { database in
            try database.execute(
                sql: "UPDATE api_tokens SET last_used_at = ? WHERE id = ?", arguments: [now.sql, id])
        }
    }

    package func revokeToken(id: Int64, at now: Timestamp) throws -> AccessToken {
        try write { database in
            try database.execute(
                sql: "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
                arguments: [now.sql, id])
            guard let token = try SQLiteCatalog.selectTokens("WHERE id = ?", [id], database).first else {
                throw BackupError(.notFound, "there is no token \(id): `elder-backup token list` shows those there are")
            }
            return token
        }
    }

    private static func selectTokens(
        _ condition: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [AccessToken] {
        let sql =
            "SELECT id, name, role, created_at, expires_at, last_used_at, revoked_at FROM api_tokens \(condition)"
        return try Row.fetchAll(database.cachedStatement(sql: sql), arguments: arguments).map { row in
            let row = LenientRow(row: row)
            let id = row.integer("id") ?? 0
            // A role, or an end, that cannot be read must not become one that opens more.
            guard let role = row.text("role").flatMap(AccessRole.init(rawValue:)),
                row.text("expires_at") == nil || row.timestamp("expires_at") != nil
            else {
                throw BackupError(.catalog, "token \(id) cannot be read: revoke it, and make another one")
            }
            return AccessToken(
                id: id, name: row.text("name") ?? "", role: role,
                createdAt: row.timestamp("created_at") ?? Timestamp(microseconds: 0),
                expiresAt: row.timestamp("expires_at"), lastUsedAt: row.timestamp("last_used_at"),
                revokedAt: row.text("revoked_at") == nil ? nil : row.timestamp("revoked_at") ?? Timestamp.now())
        }
    }
}
