import BackupCore

/// The database of an Elder installation, from the variables that Elder itself reads.
enum ElderDatabase {
    /// The address that `DB_TYPE`, `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER` and `DB_PASSWORD` give; nil without
    /// `DB_TYPE` or `DB_HOST`.
    ///
    /// - Throws: `configuration` for a type that is not served, or a port that is none.
    static func address(_ variable: (String) -> String?) throws(BackupError) -> DatabaseURL? {
        let type = variable("DB_TYPE")
        guard type != nil || variable("DB_HOST") != nil else { return nil }
        switch (type ?? "postgres").lowercased() {
        case "postgres", "postgresql", "postgres2", "psycopg2":
            let port = variable("DB_PORT") ?? ""
            guard port.isEmpty || UInt16(port) != nil else {
                throw BackupError(.configuration, "DB_PORT is not the number of a port: allowed is 1 to 65535")
            }
            return .postgresql(
                PostgreSQLAddress(
                    host: variable("DB_HOST") ?? "localhost", port: port, database: variable("DB_NAME") ?? "elder",
                    user: variable("DB_USER") ?? "elder", password: variable("DB_PASSWORD") ?? ""))
        case "sqlite":
            guard let name = variable("DB_NAME") else {
                throw BackupError(.configuration, "DB_TYPE is sqlite and DB_NAME, the path of its file, is not set")
            }
            return .sqlite(path: name)
        default:
            throw BackupError(
                .configuration,
                "DB_TYPE names a database that is not served: allowed are postgres and sqlite; "
                    + "set DATABASE_URL to back another one up")
        }
    }
}
