import BackupCore
import BackupEngine
import Foundation
import Logging
import Testing

/// The server that `Tests/Servers/postgresql.sh start` starts.
enum TestServer {
    static let hint = """
        no PostgreSQL server: eval "$(Tests/Servers/postgresql.sh start)" and run again
        """

    private static let environment = ProcessInfo.processInfo.environment

    /// Without a server the tests are skipped, but not where they must pass.
    static let isWanted = environment["ELDER_BACKUP_TEST_POSTGRESQL_URL"] != nil || environment["CI"] == "true"

    /// The superuser's address of the server's first database.
    static func address() throws -> String {
        try value("ELDER_BACKUP_TEST_POSTGRESQL_URL")
    }

    static func value(_ name: String) throws -> String { try #require(environment[name], "\(hint)") }

    /// A program of PostgreSQL's own; its errors, but for warnings, go with its status.
    @discardableResult
    static func run(_ tool: String, _ arguments: [String], input: String? = nil) throws -> String {
        let (status, output, errors) = try start(tool, arguments, input: input)()
        guard status == 0 else { throw TestFailure(description: "\(tool) ended with \(status): \(errors)") }
        return output
    }

    /// Starts a program, one of PostgreSQL's own where no path is given; what it returns waits for its end.
    static func start(
        _ tool: String, _ arguments: [String], input: String? = nil, environment more: [String: String] = [:]
    ) throws -> @Sendable () throws -> (Int32, String, String) {
        let tools = try value("ELDER_BACKUP_TEST_POSTGRESQL_TOOLS")
        let directory = NSTemporaryDirectory() + "pg-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let files = ["in", "out", "err"].map { URL(filePath: directory + "/" + $0) }
        for file in files { try Data((file == files[0] ? input ?? "" : "").utf8).write(to: file) }
        let process = Process()
        process.executableURL = URL(filePath: tool.hasPrefix("/") ? tool : tools + "/" + tool)
        process.arguments = arguments
        process.environment = environment.merging(more) { _, new in new }
        // Files, so that neither side waits for the other.
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        let box = ProcessBox(process)
        return {
            box.process.waitUntilExit()
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
            return (box.process.terminationStatus, texts[1], texts[2])
        }
    }

    /// Hands a process on; it is used by one thread at a time.
    private final class ProcessBox: @unchecked Sendable {
        let process: Process
        init(_ process: Process) { self.process = process }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
}

/// A database of its own on the test server, which goes with the last reference.
final class ServerDatabase: Sendable {
    let name: String
    let address: String

    /// - Parameter creation: what stands behind `CREATE DATABASE name`.
    init(_ sql: String = "", creation: String = "") throws {
        name = "eb_" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
        let server = try TestServer.address()
        address = server.dropLast("postgres".count) + name
        try TestServer.run("psql", ["-qX", "-d", server, "-c", "CREATE DATABASE \(name) \(creation)"])
        if !sql.isEmpty { try execute(sql) }
    }

    deinit {
        guard let server = try? TestServer.address() else { return }
        _ = try? TestServer.run("psql", ["-qX", "-d", server, "-c", "DROP DATABASE IF EXISTS \(name) WITH (FORCE)"])
    }

    var url: DatabaseURL { get throws { try DatabaseURL(address) } }

    /// The address for another user.
    func address(user: String, password: String) -> String {
        let host = address[address.index(after: address.lastIndex(of: "@") ?? address.startIndex)...]
        return "postgresql://\(user):\(password)@\(host)"
    }

    func execute(_ sql: String) throws {
        try TestServer.run(
            "psql", ["-qX", "-v", "ON_ERROR_STOP=1", "-d", address], input: "SET client_encoding = 'UTF8';\n" + sql)
    }

    /// The rows of a query, columns separated by `|`.
    func rows(_ sql: String) throws -> [String] {
        try TestServer.run("psql", ["-qXAt", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", sql])
            .split(separator: "\n").map(String.init)
    }

    /// What pg_dump writes, but for its random key.
    func dump(_ options: String...) throws -> String { try dump(options) }

    private func dump(_ options: [String]) throws -> String {
        try TestServer.run("pg_dump", options + ["-d", address]).split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .filter { !$0.hasPrefix("\\restrict ") && !$0.hasPrefix("\\unrestrict ") }.joined(separator: "\n")
    }

    static func expectEqual(
        _ first: ServerDatabase, _ second: ServerDatabase, _ others: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for option in ["--schema-only", "--data-only"] {
            let (left, right) = (try first.dump([option] + others), try second.dump([option] + others))
            guard left != right else { continue }
            let pair = zip(left.split(separator: "\n"), right.split(separator: "\n")).first { $0 != $1 }
            Issue.record(
                "pg_dump \(option) differs: \(pair?.0.prefix(300) ?? "") ≠ \(pair?.1.prefix(300) ?? "")",
                sourceLocation: sourceLocation)
        }
    }
}

/// A directory of its own with backups in it, which goes with the last reference.
final class BackupBench: Sendable {
    let directory: String

    init() throws {
        directory = NSTemporaryDirectory() + "postgresql-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func engine(
        _ configure: (inout EngineConfiguration) -> Void = { _ in }, observer: @escaping ProgressObserver = { _ in }
    ) async throws -> BackupEngine {
        var configuration = EngineConfiguration(backupDirectory: directory + "/backups")
        configuration.lockTimeout = .seconds(10)
        configure(&configuration)
        return try await BackupEngine.open(
            configuration: configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            // The directory stays as long as the engine does.
            observer: { [self] event in withExtendedLifetime(self) { observer(event) } })
    }

    func text(of archive: String) throws -> String { String(decoding: try inflated(archive), as: UTF8.self) }

    private func inflated(_ archive: String) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", archive]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return text
    }

    /// The rows of one table of an archive, as any other program reads them.
    func rows(of table: String, in archive: String) throws -> [[String: Any]] {
        let text = try inflated(archive)
        let document = try JSONSerialization.jsonObject(with: text) as? [String: Any]
        let tables = document?["tables"] as? [String: Any]
        return try #require(tables?[table] as? [[String: Any]])
    }
}

extension BackupEngine {
    func backUp(
        _ address: String, _ change: (inout BackupRequest) -> Void = { _ in }
    ) async throws -> BackupResponse {
        var request = BackupRequest()
        request.source = try DatabaseURL(address)
        change(&request)
        return try await backup(request)
    }

    @discardableResult
    func restore(
        _ backup: String, into address: String, _ change: (inout RestoreRequest) -> Void = { _ in }
    ) async throws -> RestoreResponse {
        var request = RestoreRequest(backup: BackupReference(backup), target: try DatabaseURL(address))
        change(&request)
        return try await restore(request)
    }
}

/// The failure of something that must fail.
func failure(_ body: () async throws -> Void) async -> BackupError {
    do {
        try await body()
    } catch let error as BackupError {
        return error
    } catch {
        return BackupError(.internal, "not an error of this program: \(error)")
    }
    return BackupError(.internal, "nothing failed")
}
