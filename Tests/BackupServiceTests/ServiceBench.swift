import AsyncHTTPClient
import BackupCore
import BackupEngine
import BackupService
import CSQLite
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Testing

/// A service on a free port, with a database to back up; all of it goes at the end.
final class ServiceBench: Sendable {
    let directory: String
    let engine: BackupEngine
    let port: Int

    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    static let elderKey = "a-key-of-elder-that-is-long-enough-for-it"

    private init(_ directory: String, _ engine: BackupEngine, _ port: Int) {
        self.directory = directory
        self.engine = engine
        self.port = port
    }

    /// - Parameters:
    ///   - remote: the stores.
    ///   - configure: changes what is configured.
    ///   - prepare: done before the service starts, with the path of its catalog.
    ///   - change: changes how the service is set up, with the path of the bench's directory.
    static func with(
        remote: RemoteSettings? = nil, configure: (inout EngineConfiguration) -> Void = { _ in },
        logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        prepare: (BackupEngine, String) async throws -> Void = { _, _ in },
        settings change: (inout ServiceSettings, String) -> Void = { _, _ in },
        _ body: @escaping @Sendable (ServiceBench) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "service-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let source = directory + "/app.sqlite"
        try query(
            "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES(1, 'ada'), (2, 'bob')",
            on: source)
        var configuration = EngineConfiguration(backupDirectory: directory + "/backups")
        configuration.source = .sqlite(path: source)
        configuration.remote = remote
        configure(&configuration)
        let engine = try await BackupEngine.open(configuration: configuration, logger: logger)
        try await prepare(engine, directory + "/backups/catalog.sqlite")
        var settings = ServiceSettings()
        settings.port = 0
        settings.elder.secret = Secret(elderKey)
        settings.elder.admins = ["7"]
        change(&settings, directory)
        let service = try await BackupService(engine: engine, settings: settings, logger: logger)
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await service.run { port in
                    found.yield(port)
                    found.finish()
                }
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(ServiceBench(directory, engine, port))
            group.cancelAll()
        }
    }

    static func query(_ sql: String, on path: String) throws {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        try #require(sqlite3_open(path, &handle) == SQLITE_OK)
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    }

    /// The first column of the first row, as text.
    static func first(_ sql: String, on path: String) throws -> String {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        try #require(sqlite3_open(path, &handle) == SQLITE_OK)
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        try #require(sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK)
        try #require(sqlite3_step(statement) == SQLITE_ROW)
        return sqlite3_column_text(statement, 0).map { String(cString: $0) } ?? ""
    }

    /// What lies in the backup directory for the moment only.
    func hiddenFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/backups").filter { $0.hasPrefix(".fetch-") }
    }

    /// Waits until something holds, for half a minute at most.
    func until(_ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            try #require(ContinuousClock.now < end, "what was waited for did not come")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    struct Reply: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: [UInt8]

        /// The body as a JSON object.
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
        }
        var error: String { json["error"] as? String ?? "" }
    }

    func token(_ role: AccessRole) async throws -> String {
        try await engine.createToken(name: "\(role) \(UUID())", role: role).text
    }

    func ask(
        _ method: HTTPMethod, _ path: String, token: String? = nil, body: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)" + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let buffer = try await response.body.collect(upTo: 64 << 20)
        return Reply(
            status: Int(response.status.code), headers: response.headers, body: Array(buffer.readableBytesView))
    }
}
