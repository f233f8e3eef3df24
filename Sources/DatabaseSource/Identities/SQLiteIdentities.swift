package import BackupCore

/// Elder's people in a SQLite file.
package struct SQLiteIdentities: IdentityDirectory {
    private let path: String

    package init(path: String) { self.path = path }

    package func standing(of subject: ElderSubject) throws -> ElderStanding {
        let connection = try SQLiteConnection(path: path, mode: .readOnly, lockTimeout: IdentityQuery.patience)
        defer { connection.close() }
        let statement = try connection.prepare(IdentityQuery.sql(subject, schema: "", text: "TEXT"))
        guard try statement.step() else { return .nobody }
        return IdentityQuery.standing(
            active: try statement.text(0), superuser: try statement.text(1), role: try statement.text(2))
    }
}
