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

    /// pg_dumpall at work. What it cannot read fails no backup.
    struct Running: ~Copyable {
        private let passwords: PostgreSQLPasswordFile?
        private var program: RunningProgram?
        private let reason: String
        private let isCancelled: @Sendable () -> Bool

        /// Starts the pg_dumpall that lies beside a pg_dump.
        static func start(
            by tool: PostgreSQLTool?, _ connection: PostgreSQLConnection, _ options: SnapshotOptions
        ) -> Running {
            var reason = "there is no pg_dumpall for this server"
            var running: Running?
            do throws(BackupError) {
                running = try start(by: tool, connection, options, &reason)
            } catch {
                reason = error.message
            }
            if let running = running.take() { return running }
            return Running(passwords: nil, program: nil, reason: reason, isCancelled: options.isCancelled)
        }

        private static func start(
            by tool: PostgreSQLTool?, _ connection: PostgreSQLConnection, _ options: SnapshotOptions,
            _ reason: inout String
        ) throws(BackupError) -> Running? {
            guard let tool else { return nil }
            guard let path = tool.sibling("pg_dumpall") else {
                reason = "there is no pg_dumpall beside \(tool.path)"
                return nil
            }
            let passwords = try PostgreSQLPasswordFile(connection)
            var environment = PostgreSQLTool.environment(for: connection, passwordFile: passwords.path)
            if connection.serverEncoding != "SQL_ASCII" { environment.append("PGCLIENTENCODING=UTF8") }
            // It connects to the database "postgres" unless told otherwise, and this role may not be let in there.
            let arguments = [
                "--globals-only", "--no-role-passwords", "--no-password", "--database=\(connection.databaseName)",
            ]
            let program = try RunningProgram.start(path, arguments, environment: environment)
            return Running(
                passwords: passwords, program: program, reason: "\(path) cannot be started",
                isCancelled: options.isCancelled)
        }

        /// - Throws: ``BackupError/Code/cancelled`` alone.
        consuming func finish() throws(BackupError) -> PostgreSQLGlobals {
            guard let program = program.take() else { return PostgreSQLGlobals(reason: reason) }
            do {
                return PostgreSQLGlobals(try program.finish(largestOutput: largestText, isCancelled: isCancelled))
            } catch {
                guard error.code != .cancelled else { throw error }
                return PostgreSQLGlobals(reason: error.message)
            }
        }
    }

    private init(_ run: ChildProgram) {
        guard run.status == 0 else {
            reason = "pg_dumpall ended with \(run.status): \(PostgreSQLFailure.line(run.errors).prefix(300))"
            return
        }
        text = String(validating: run.output, as: UTF8.self).map(PostgreSQLSchemaDump.withoutRestriction)
        if text == nil { reason = "names in them are not UTF-8 text" }
    }

    /// Nothing was asked for.
    init() {}

    private init(reason: String) { self.reason = reason }
}
