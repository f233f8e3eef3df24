internal import BackupCore

/// The definitions of everything in a database, as pg_dump writes them
/// (https://www.postgresql.org/docs/current/app-pgdump.html).
struct PostgreSQLSchemaDump {
    /// The version of pg_dump.
    var version: String
    /// What must be there before rows come.
    var preData: String
    /// Indexes, constraints, triggers, and what else needs the rows.
    var postData: String
    /// What pg_dump had to say, each a line.
    var warnings: [String]

    /// The preamble of an archive holds at most 64 MiB, escapes included.
    private static let largestText = 24 << 20

    /// Runs pg_dump for one connection, as often as is needed.
    struct Runner {
        private let connection: PostgreSQLConnection
        private let options: SnapshotOptions
        /// Nil where there is none that knows the server.
        let tool: PostgreSQLTool?
        /// The versions of those that do not know it.
        let otherVersions: [String]

        init(_ connection: PostgreSQLConnection, _ options: SnapshotOptions) {
            self.connection = connection
            self.options = options
            (tool, otherVersions) = PostgreSQLTool.pgDump(
                forServer: connection.serverVersion, in: options.programDirectories)
        }

        /// - Parameter snapshot: one that the connection has exported; nil lets pg_dump choose a moment of its own.
        /// - Returns: nil where there is no pg_dump for the server.
        func take(snapshot: String?) throws(BackupError) -> PostgreSQLSchemaDump? {
            guard let running = try start(snapshot: snapshot) else { return nil }
            return try running.finish()
        }

        /// Starts pg_dump; what it needs of the server is not waited for.
        func start(snapshot: String?) throws(BackupError) -> Running? {
            guard let tool else { return nil }
            return try Running.start(tool, connection, snapshot: snapshot, options)
        }
    }

    /// pg_dump at work: on both sections at once where several connections are allowed.
    struct Running: ~Copyable {
        private let tool: PostgreSQLTool
        private let connection: PostgreSQLConnection
        private let options: SnapshotOptions
        private let passwords: PostgreSQLPasswordFile
        private let environment: [String]
        private let arguments: [String]
        private var preData: RunningProgram?
        private var postData: RunningProgram?

        fileprivate static func start(
            _ tool: PostgreSQLTool, _ connection: PostgreSQLConnection, snapshot: String?, _ options: SnapshotOptions
        ) throws(BackupError) -> Running {
            // Where the locks are held already, somebody may wait for them whom pg_dump would wait for: not for long.
            let longest = snapshot == nil ? options.lockTimeout : min(options.lockTimeout, .seconds(2))
            var arguments = [
                "--schema-only", "--no-password", "--lock-wait-timeout=\(max(1, longest.milliseconds))",
            ]
            if let snapshot { arguments.append("--snapshot=\(snapshot)") }
            if connection.serverEncoding != "SQL_ASCII" { arguments.append("--encoding=UTF8") }
            let passwords = try PostgreSQLPasswordFile(connection)
            let environment = PostgreSQLTool.environment(for: connection, passwordFile: passwords.path)
            var running = Running(
                tool: tool, connection: connection, options: options, passwords: passwords, environment: environment,
                arguments: arguments, preData: nil, postData: nil)
            running.preData = try running.program("pre-data")
            if options.connections > 1 { running.postData = try running.program("post-data") }
            return running
        }

        private func program(_ section: String) throws(BackupError) -> RunningProgram? {
            try RunningProgram.start(tool.path, arguments + ["--section=\(section)"], environment: environment)
        }

        /// - Returns: nil where pg_dump could not be started.
        consuming func finish() throws(BackupError) -> PostgreSQLSchemaDump? {
            var warnings: [String] = []
            guard let preData = preData.take() else { return nil }
            let before = try text(of: try end(preData), &warnings)
            var other = postData.take()
            if other == nil { other = try program("post-data") }
            guard let other = other.take() else { return nil }
            let behind = try text(of: try end(other), &warnings)
            return PostgreSQLSchemaDump(version: tool.version, preData: before, postData: behind, warnings: warnings)
        }

        private func end(_ running: consuming RunningProgram) throws(BackupError) -> ChildProgram {
            try running.finish(largestOutput: largestText, isCancelled: options.isCancelled)
        }

        private func text(of run: ChildProgram, _ warnings: inout [String]) throws(BackupError) -> String {
            let words = PostgreSQLFailure.line(run.errors)
            guard run.status == 0 else { throw failure(words, run.status, connection) }
            if !words.isEmpty, !warnings.contains(words) { warnings.append(words) }
            guard let text = String(validating: run.output, as: UTF8.self) else {
                throw BackupError(
                    .unsupported, "the database's definitions are not UTF-8 text: names in it cannot be stored")
            }
            return withoutRestriction(text)
        }
    }

    private static func failure(
        _ words: String, _ status: Int32, _ connection: PostgreSQLConnection
    ) -> BackupError {
        var advice = "run pg_dump --schema-only on it to see more"
        if words.contains("permission denied") {
            advice = "GRANT SELECT on it, or GRANT pg_read_all_data, TO \(connection.userName)"
        } else if words.contains("timeout") {
            advice = "another session holds a lock; wait longer with BACKUP_LOCK_TIMEOUT, or run again"
        }
        let isConflict = connection.isStandby && words.contains("conflict with recovery")
        if isConflict { advice = PostgreSQLFailure.standbyAdvice }
        return BackupError(
            .source, "pg_dump could not read the definitions (status \(status)): \(words.prefix(600)); \(advice)",
            isTransient: isConflict)
    }

    /// Since 15.14 pg_dump puts everything between two commands of psql's, with a random key.
    static func withoutRestriction(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if let first = lines.firstIndex(where: { $0.hasPrefix("\\restrict ") }) { lines.remove(at: first) }
        if let last = lines.lastIndex(where: { $0.hasPrefix("\\unrestrict ") }) { lines.remove(at: last) }
        return lines.joined(separator: "\n")
    }
}
