internal import CLibpq
internal import Glibc

/// A program of PostgreSQL's own.
struct PostgreSQLTool {
    var path: String
    var version: String

    /// The pg_dump that fits a server: of the same version where there is one, else the next newer. An older one
    /// refuses the server: these are named for the user.
    ///
    /// - Parameter directories: where it is looked for; nil for the usual places.
    static func pgDump(
        forServer serverVersion: Int32, in directories: [String]?
    ) -> (tool: PostgreSQLTool?, otherVersions: [String]) {
        let wanted = Int(serverVersion / 10_000)
        var best: (tool: PostgreSQLTool, major: Int)?
        var others: [String] = []
        for path in (directories ?? usualDirectories()).map({ $0 + "/pg_dump" }) where access(path, X_OK) == 0 {
            guard let version = version(of: path), let major = Int(version.prefix { $0.isNumber }) else { continue }
            if major < wanted {
                if !others.contains(version) { others.append(version) }
            } else if best.map({ major < $0.major }) ?? true {
                best = (PostgreSQLTool(path: path, version: version), major)
                if major == wanted { break }
            }
        }
        return (best?.tool, others)
    }

    /// Another program of the same version, which lies beside this one; nil where it is missing.
    func sibling(_ name: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let path = path[...slash] + name
        return access(String(path), X_OK) == 0 ? String(path) : nil
    }

    private static func usualDirectories() -> [String] {
        var directories: [String] = []
        for root in ["/usr/lib/postgresql", "/usr/local/lib/postgresql"] {
            for name in entries(of: root) { directories.append("\(root)/\(name)/bin") }
        }
        for name in entries(of: "/usr") where name.hasPrefix("pgsql-") { directories.append("/usr/\(name)/bin") }
        // Debian's own is a wrapper that chooses one of the above by rules of its own: it comes last.
        let search = getenv("PATH").map { String(cString: $0) } ?? ""
        return directories + search.split(separator: ":").filter { $0.hasPrefix("/") }.map(String.init)
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
