internal import BackupCore

/// Gives a database that was restored as a whole the comment and the settings of the one that was backed up.
struct PostgreSQLDatabaseSettings {
    let connection: PostgreSQLConnection
    let skipsRoles: Bool

    /// What the role may not do, or the server does not know, is left, each with a warning.
    ///
    /// - Parameter name: of the database that gets them.
    func apply(_ database: PostgreSQLDatabase, to name: String) throws(BackupError) -> [String] {
        var warnings: [String] = []
        for action in database.properties(of: name, skipsRoles: skipsRoles) {
            try connection.execute("SAVEPOINT property")
            do {
                try connection.execute(action.sql)
            } catch {
                guard error.code != .cancelled else { throw error }
                try connection.execute("ROLLBACK TO SAVEPOINT property")
                warnings.append("the database's \(action.title) is not restored: \(error.message)")
            }
            try connection.execute("RELEASE SAVEPOINT property")
        }
        return warnings
    }

    /// What a database keeps from its creation on, and what of it is another here, each a line.
    func differences(_ database: PostgreSQLDatabase, encoding: String) throws(BackupError) -> [String] {
        let own = try PostgreSQLCatalog(connection: connection).database()
        func words(_ database: PostgreSQLDatabase, _ encoding: String) -> String {
            // Before version 15 there was one provider, and it was not named.
            let provider = database.localeProvider ?? "libc"
            let locale = database.locale.map { ", \($0)" } ?? ""
            return "\(encoding), \(provider), \(database.collate), \(database.ctype)\(locale)"
        }
        let (source, target) = (words(database, encoding), words(own, connection.serverEncoding))
        guard source != target else { return [] }
        return [
            "encoding and locale are those of the target (\(target)), and were others in the source (\(source)): text may "
                + "sort in another order"
        ]
    }
}
