internal import BackupCore

/// Roles and tablespaces of a server, as pg_dumpall writes them
/// (https://www.postgresql.org/docs/current/app-pg-dumpall.html): to be looked at, never run by a restore.
struct PostgreSQLGlobals {
    /// Without passwords; nil where they could not be read.
    var text: String?
    /// Why they could not be read.
    var reason: String?

    /// The preamble of an archive has room for so much beside the definitions.
    private static let largestText = 8 << 20

    /// Runs the pg_dumpall that lies beside a pg_dump. What it cannot read fails no backup.
    ///
    /// - Throws: ``BackupError/Code/cancelled`` alone.
    static func take(
        by tool: PostgreSQLTool?, _ connection: PostgreSQLConnection, _ options: SnapshotOptions
    ) throws(BackupError) -> PostgreSQLGlobals {
        guard let tool else { return PostgreSQLGlobals(reason: "there is no pg_dumpall for this server") }
        guard let path = tool.sibling("pg_dumpall") else {
            return PostgreSQLGlobals(reason: "there is no pg_dumpall beside \(tool.path)")
        }
        do {
            return try run(path, connection, options)
        } catch {
            guard error.code != .cancelled else { throw error }
            return PostgreSQLGlobals(reason: error.message)
        }
    }

    private static func run(
        _ path: String, _ connection: PostgreSQLConnection, _ options: SnapshotOptions
    ) throws(BackupError) -> PostgreSQLGlobals {
        let passwords = try PostgreSQLPasswordFile(connection)
        var environment = PostgreSQLTool.environment(for: connection, passwordFile: passwords.path)
        if connection.serverEncoding != "SQL_ASCII" { environment.append("PGCLIENTENCODING=UTF8") }
        // It connects to the database "postgres" unless told otherwise, and this role may not be let in there.
        let arguments = [
            "--globals-only", "--no-role-passwords", "--no-password", "--database=\(connection.databaseName)",
        ]
        let run = try ChildProgram.run(
            path, arguments, environment: environment, largestOutput: largestText, isCancelled: options.isCancelled)
        _ = consume passwords
        guard let run else { return PostgreSQLGlobals(reason: "\(path) cannot be started") }
        guard run.status == 0 else {
            let words = PostgreSQLFailure.line(run.errors).prefix(300)
            return PostgreSQLGlobals(reason: "pg_dumpall ended with \(run.status): \(words)")
        }
        guard let text = String(validating: run.output, as: UTF8.self) else {
            return PostgreSQLGlobals(reason: "names in them are not UTF-8 text")
        }
        return PostgreSQLGlobals(text: PostgreSQLSchemaDump.withoutRestriction(text))
    }
}
