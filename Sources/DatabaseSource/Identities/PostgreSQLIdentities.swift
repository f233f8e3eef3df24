package import BackupCore

/// Elder's people in a PostgreSQL database, in its schema `public`.
package struct PostgreSQLIdentities: IdentityDirectory {
    private let address: PostgreSQLAddress

    package init(_ address: PostgreSQLAddress) { self.address = address }

    package func standing(of subject: ElderSubject) throws -> ElderStanding {
        let patience = IdentityQuery.patience
        let connection = try PostgreSQLConnection(
            address, for: .source,
            timeouts: PostgreSQLTimeouts(lock: patience, statement: patience, connect: patience))
        defer { connection.close() }
        try connection.execute("SET default_transaction_read_only = on")
        let result = try connection.query(IdentityQuery.sql(subject, schema: "public.", text: "text"))
        guard result.rowCount > 0 else { return .nobody }
        return IdentityQuery.standing(
            active: result.text(0, 0), superuser: result.text(0, 1), role: result.text(0, 2))
    }
}
