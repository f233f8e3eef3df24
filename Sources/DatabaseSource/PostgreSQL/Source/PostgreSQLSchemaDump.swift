internal import BackupCore
internal import CLibpq
internal import Glibc

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
        private let tool: PostgreSQLTool?

        init(_ connection: PostgreSQLConnection, _ options: SnapshotOptions) {
            self.connection = connection
            self.options = options
            tool = PostgreSQLTool.pgDump(forServer: connection.serverVersion)
        }

        /// - Parameter snapshot: one that the connection has exported; nil lets pg_dump choose a moment of its own.
        func take(snapshot: String?) throws(BackupError) -> PostgreSQLSchemaDump? {
            guard let tool else { return nil }
            return try PostgreSQLSchemaDump.take(tool, connection, snapshot: snapshot, options)
        }
    }

    private static func take(
        _ tool: PostgreSQLTool, _ connection: PostgreSQLConnection, snapshot: String?, _ options: SnapshotOptions
    ) throws(BackupError) -> PostgreSQLSchemaDump? {
        // Where the locks are held already, somebody may wait for them whom pg_dump would wait for: not for long.
        let longest = snapshot == nil ? options.lockTimeout : min(options.lockTimeout, .seconds(2))
        let milliseconds = longest.components.seconds * 1000 + longest.components.attoseconds / 1_000_000_000_000_000
        let passwords = try PostgreSQLPasswordFile(connection)
        let environment = PostgreSQLTool.environment(for: connection, passwordFile: passwords.path)
        var texts: [String] = []
        var warnings: [String] = []
        for section in ["pre-data", "post-data"] {
            var arguments = [
                "--schema-only", "--section=\(section)", "--no-password", "--lock-wait-timeout=\(max(1, milliseconds))",
            ]
            if let snapshot { arguments.append("--snapshot=\(snapshot)") }
            if PQparameterStatus(connection.handle, "server_encoding").map({ String(cString: $0) }) != "SQL_ASCII" {
                arguments.append("--encoding=UTF8")
            }
            let run = try ChildProgram.run(
                tool.path, arguments, environment: environment, largestOutput: largestText,
                isCancelled: options.isCancelled)
            guard let run else { return nil }
            let words = PostgreSQLFailure.line(run.errors)
            guard run.status == 0 else { throw failure(words, run.status, connection) }
            if !words.isEmpty { warnings.append(words) }
            guard let text = String(validating: run.output, as: UTF8.self) else {
                throw BackupError(
                    .unsupported, "the database's definitions are not UTF-8 text: names in it cannot be stored")
            }
            texts.append(withoutRestriction(text))
        }
        _ = consume passwords
        return PostgreSQLSchemaDump(version: tool.version, preData: texts[0], postData: texts[1], warnings: warnings)
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
        return BackupError(
            .source, "pg_dump could not read the definitions (status \(status)): \(words.prefix(600)); \(advice)")
    }

    /// Since 15.14 pg_dump puts everything between two commands of psql's, with a random key.
    static func withoutRestriction(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if let first = lines.firstIndex(where: { $0.hasPrefix("\\restrict ") }) { lines.remove(at: first) }
        if let last = lines.lastIndex(where: { $0.hasPrefix("\\unrestrict ") }) { lines.remove(at: last) }
        return lines.joined(separator: "\n")
    }
}

/// A program of PostgreSQL's own.
struct PostgreSQLTool {
    var path: String
    var version: String

    /// The pg_dump that fits a server: of the same version where there is one, else the next newer. An older one
    /// refuses the server.
    static func pgDump(forServer serverVersion: Int32) -> PostgreSQLTool? {
        let wanted = Int(serverVersion / 10_000)
        return candidates().compactMap { path -> (tool: PostgreSQLTool, major: Int)? in
            guard let version = version(of: path), let major = Int(version.prefix { $0.isNumber }), major >= wanted
            else { return nil }
            return (PostgreSQLTool(path: path, version: version), major)
        }.min { $0.major < $1.major }?.tool
    }

    private static func candidates() -> [String] {
        var paths: [String] = []
        for root in ["/usr/lib/postgresql", "/usr/local/lib/postgresql"] {
            for name in entries(of: root) { paths.append("\(root)/\(name)/bin/pg_dump") }
        }
        for name in entries(of: "/usr") where name.hasPrefix("pgsql-") { paths.append("/usr/\(name)/bin/pg_dump") }
        // Debian's own is a wrapper that chooses one of the above by rules of its own: it comes last.
        let search = getenv("PATH").map { String(cString: $0) } ?? ""
        paths += search.split(separator: ":").filter { $0.hasPrefix("/") }.map { $0 + "/pg_dump" }
        return paths.filter { access($0, X_OK) == 0 }
    }

    private static func entries(of directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// `pg_dump (PostgreSQL) 15.18 (Debian …)` gives `15.18`.
    private static func version(of path: String) -> String? {
        let run = try? ChildProgram.run(
            path, ["--version"], environment: ["PATH=/usr/bin:/bin"], largestOutput: 4096, isCancelled: { false })
        guard let run = run ?? nil, run.status == 0 else { return nil }
        let words = String(decoding: run.output, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        return words.first { $0.first?.isNumber == true }.map(String.init)
    }

    /// What connects a program as `connection` is connected, without its password.
    static func environment(for connection: PostgreSQLConnection, passwordFile: String?) -> [String] {
        var own: [String: String] = ["PGAPPNAME": "elder-backup"]
        if let passwordFile { own["PGPASSFILE"] = passwordFile }
        if let options = PQconninfo(connection.handle) {
            var option = options
            while let keyword = option.pointee.keyword {
                // One marked with an asterisk is a secret.
                let isSecret = option.pointee.dispchar.map { $0.pointee == CChar(UInt8(ascii: "*")) } ?? false
                let name = String(cString: keyword)
                if !isSecret, name != "passfile", name != "service", name != "fallback_application_name",
                    name != "application_name", name != "client_encoding", let variable = option.pointee.envvar,
                    let value = option.pointee.val, value.pointee != 0
                {
                    own[String(cString: variable)] = String(cString: value)
                }
                option += 1
            }
            PQconninfoFree(options)
        }
        var environment = own.map { "\($0.key)=\($0.value)" }
        for name in ["PATH", "HOME", "TMPDIR", "KRB5CCNAME", "LD_LIBRARY_PATH"] {
            if let value = getenv(name) { environment.append("\(name)=\(String(cString: value))") }
        }
        return environment + ["LC_ALL=C.UTF-8"]
    }
}

/// The password of a connection in a file that only this user can read, for as long as this value lives.
struct PostgreSQLPasswordFile: ~Copyable {
    /// Nil where the connection needs no password.
    let path: String?

    init(_ connection: PostgreSQLConnection) throws(BackupError) {
        guard let password = PQpass(connection.handle).map({ String(cString: $0) }), !password.isEmpty else {
            path = nil
            return
        }
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var name = Array("\(directory)/elder-backup-XXXXXX".utf8CString)
        // mkstemp makes the file readable for its owner only.
        let descriptor = mkstemp(&name)
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard descriptor >= 0 else {
            throw .system("make a password file for pg_dump in", path: directory, errno: errno)
        }
        let escaped = password.reduce(into: "") { text, character in
            if character == "\\" || character == ":" { text.append("\\") }
            text.append(character)
        }
        let line = Array("*:*:*:*:\(escaped)\n".utf8)
        let written = write(descriptor, line, line.count)
        let number = errno
        close(descriptor)
        guard written == line.count else {
            unlink(path)
            throw .system("write a password file for pg_dump in", path: directory, errno: number)
        }
        self.path = path
    }

    deinit {
        if let path { unlink(path) }
    }
}
