import Foundation
import Glibc
import Testing

/// A server of a test's own, which it may kill: its data go with the last reference.
final class PrivateServer: @unchecked Sendable {
    let directory: String
    let port: Int
    private let tools: String
    private let settings: [String]

    private static let conf = """
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        fsync = off
        shared_buffers = 16MB
        max_connections = 20
        autovacuum = off

        """

    /// - Parameter settings: lines of its configuration.
    init(_ settings: [String] = []) throws {
        tools = try #require(
            ProcessInfo.processInfo.environment["ELDER_BACKUP_TEST_POSTGRESQL_TOOLS"], "\(TestServer.hint)")
        self.settings = settings
        port = try Self.freePort()
        // The server's user must be able to reach it.
        directory = "/tmp/elder-backup-pg-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Self.giveAway(directory)
        let data = directory + "/data"
        try asServer(
            "initdb", ["-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"])
        let file = try FileHandle(forWritingTo: URL(filePath: data + "/postgresql.conf"))
        try file.seekToEnd()
        try file.write(contentsOf: Data((Self.conf + settings.joined(separator: "\n") + "\n").utf8))
        try file.close()
        try start()
    }

    deinit {
        _ = try? asServer("pg_ctl", ["-D", directory + "/data", "-m", "immediate", "-s", "-w", "stop"])
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Lets the server's user have a directory.
    static func giveAway(_ path: String) throws {
        guard geteuid() == 0, let user = getpwnam("nobody") else { return }
        guard chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
            throw TestFailure(description: "cannot give \(path) away: error \(errno)")
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard status else { throw TestFailure(description: "there is no free port: error \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Closes what Foundation hands to every process: it takes a program for running until the last one that has it ends,
    /// and a server goes on.
    private static let closing = """
        for file in /proc/$$/fd/*; do number=${file##*/}; [ "$number" -le 2 ] || eval "exec $number>&-"; done
        exec "$@"
        """

    /// A server refuses to run as root.
    @discardableResult
    private func asServer(_ tool: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        let user =
            geteuid() == 0
            ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/nonexistent"] : []
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", Self.closing, "bash"] + user + [tools + "/" + tool] + arguments
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func start() throws {
        // After a kill the processes of the one before may still be on their way out.
        for _ in 0..<50 {
            let status = try asServer(
                "pg_ctl",
                ["-D", directory + "/data", "-s", "-w", "-o", "-p \(port)", "-l", directory + "/data/log", "start"])
            if status == 0 { return }
        }
        let log = (try? String(contentsOfFile: directory + "/data/log", encoding: .utf8)) ?? ""
        throw TestFailure(description: "the server does not start: \(log.suffix(500))")
    }

    func address(_ database: String = "postgres") -> String { "postgresql://admin@127.0.0.1:\(port)/\(database)" }

    func execute(_ sql: String, in database: String = "postgres") throws {
        try run(["-qX", "-v", "ON_ERROR_STOP=1", "-d", address(database)], input: sql)
    }

    func rows(_ sql: String, in database: String = "postgres") throws -> [String] {
        try run(["-qXAt", "-v", "ON_ERROR_STOP=1", "-d", address(database), "-c", sql])
            .split(separator: "\n").map(String.init)
    }

    /// A server that recovers from a kill ends its sessions and answers nobody for a while.
    @discardableResult
    private func run(_ arguments: [String], input: String? = nil) throws -> String {
        let passing = [
            "the database system is", "server closed the connection", "terminating connection because of crash",
        ]
        while true {
            do {
                return try TestServer.run("psql", arguments, input: input)
            } catch let failure as TestFailure where passing.contains(where: failure.description.contains) {
                continue
            }
        }
    }

    /// A new, empty database; whatever had the name is dropped.
    func recreate(_ database: String) throws {
        try execute("DROP DATABASE IF EXISTS \(database) WITH (FORCE);\nCREATE DATABASE \(database);")
    }

    /// Waits until the restore's own sessions have ended.
    func waitForSessions() throws {
        while try rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'elder-backup' LIMIT 1") != [] {}
    }

    // MARK: Killing

    /// Kills the server's first process, as `kill -9` does, and starts it anew.
    func killAll() throws {
        let text = try String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8)
        let process = try #require(text.split(separator: "\n").first.flatMap { pid_t($0) })
        kill(process, SIGKILL)
        try start()
    }

    /// Kills a process that serves a restore, where there is one: the server then ends all others and recovers.
    func killBackend() throws {
        let query = """
            SELECT pid FROM pg_stat_activity WHERE application_name = 'elder-backup' ORDER BY random() LIMIT 1
            """
        guard let process = try rows(query).first.flatMap({ pid_t($0) }) else { return }
        kill(process, SIGKILL)
        while try rows("SELECT 1 FROM pg_stat_activity WHERE pid = \(process)") != [] {}
    }

    /// Databases that restores made for themselves.
    func scratchDatabases() throws -> [String] {
        try rows("SELECT datname FROM pg_database WHERE datname LIKE 'elder_backup%' ORDER BY 1")
    }
}
