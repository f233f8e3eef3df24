import BackupCore
import BackupEngine
import CSQLite
import Foundation
import Logging
import S3Client
import Synchronization
import Testing

struct SceneFailure: Error, CustomStringConvertible {
    var description: String
}

/// A database, a backup directory, and buckets on a server. Everything goes at the end of ``with(_:_:)``.
final class Scene: Sendable {
    let server: TestServer
    let directory: String
    let bucket: String
    /// What the server holds, seen from outside.
    let client: S3Client
    private let extraBuckets = Mutex<[(TestServer, String)]>([])

    var backups: String { directory + "/backups" }
    var source: String { directory + "/source.sqlite" }

    private init(_ server: TestServer) throws {
        self.server = server
        bucket = "engine-" + UUID().uuidString.prefix(13).lowercased()
        directory = NSTemporaryDirectory() + "integration-" + UUID().uuidString
        client = try server.client()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    static func with(
        _ server: TestServer, sql: String = Scene.schema, _ body: (Scene) async throws -> Void
    ) async throws {
        let scene = try Scene(server)
        do {
            try scene.run(sql)
            try await body(scene)
            try await scene.end()
        } catch {
            try? await scene.end()
            throw error
        }
    }

    private func end() async throws {
        try? FileManager.default.removeItem(atPath: directory)
        for (server, bucket) in [(server, bucket)] + extraBuckets.withLock({ $0 }) {
            let client = try server.client()
            await Scene.empty(bucket, client)
            await client.shutdown()
        }
        await client.shutdown()
    }

    private static func empty(_ bucket: String, _ client: S3Client) async {
        for upload in (try? await client.listMultipartUploads(in: bucket)) ?? [] {
            try? await client.abortMultipartUpload(S3Object(bucket, upload.key), uploadID: upload.uploadID)
        }
        for version in (try? await client.listObjectVersions(in: bucket)) ?? [] {
            _ = try? await client.deleteObject(
                S3Object(bucket, version.key), versionID: version.versionID, bypassGovernance: true)
        }
        let listing = client.listObjects(in: bucket)
        var iterator = listing.makeAsyncIterator()
        while let object = try? await iterator.next() {
            _ = try? await client.deleteObject(S3Object(bucket, object.key))
        }
        try? await client.deleteBucket(bucket)
    }

    /// Another bucket, which goes with the scene.
    func anotherBucket(on server: TestServer? = nil) -> String {
        let name = "engine-" + UUID().uuidString.prefix(13).lowercased()
        extraBuckets.withLock { $0.append((server ?? self.server, name)) }
        return name
    }

    // MARK: The database

    static let schema = """
        CREATE TABLE teams(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL, team_id INTEGER REFERENCES teams);
        INSERT INTO teams VALUES(1, 'red'), (2, 'blü');
        INSERT INTO users VALUES(1, 'ada@example.org', 1), (2, 'bob@example.org', 2);
        """

    /// Rows that do not compress: about so many bytes, in tables of 4 MiB each.
    static func bulky(tables: Int) -> String {
        (0..<tables).map { number in
            """
            CREATE TABLE bulk\(number)(id INTEGER PRIMARY KEY, data BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64)
                INSERT INTO bulk\(number) SELECT i, randomblob(65536) FROM n;
            """
        }.joined(separator: "\n")
    }

    func run(_ sql: String, on path: String? = nil) throws {
        try Scene.query(sql, on: path ?? source)
    }

    @discardableResult
    static func query(_ sql: String, on path: String) throws -> [String] {
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else {
            throw SceneFailure(description: "cannot open \(path)")
        }
        defer { sqlite3_close_v2(handle) }
        final class Lines { var lines: [String] = [] }
        let lines = Lines()
        let status = sqlite3_exec(
            handle, sql,
            { context, count, values, _ in
                guard let context, let values else { return 0 }
                let cells = (0..<Int(count)).map { values[$0].map { String(cString: $0) } ?? "NULL" }
                Unmanaged<Lines>.fromOpaque(context).takeUnretainedValue().lines.append(cells.joined(separator: "|"))
                return 0
            }, Unmanaged.passUnretained(lines).toOpaque(), nil)
        guard status == SQLITE_OK else {
            throw SceneFailure(description: String(cString: sqlite3_errmsg(handle)) + " in " + sql)
        }
        return lines.lines
    }

    /// Restores, and compares all users with those of the source.
    func expectRestores(
        _ engine: BackupEngine, _ backup: String, from expected: String,
        _ change: (inout RestoreRequest) -> Void = { _ in },
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let path = directory + "/restored-" + UUID().uuidString
        var request = RestoreRequest(backup: BackupReference(backup), target: .sqlite(path: path))
        request.prove = true
        change(&request)
        let response = try await engine.restore(request)
        #expect(response.source == expected, sourceLocation: location)
        #expect(
            (response.sourceReason == nil) == (expected == "local" || request.from == .s3), sourceLocation: location)
        let sql = "SELECT * FROM users"
        #expect(
            try Scene.query(sql, on: path) == Scene.query(sql, on: source), sourceLocation: location)
    }

    // MARK: The engine

    /// An engine with this scene's bucket as its store.
    func engine(
        _ configure: (inout RemoteSettings) throws -> Void = { _ in },
        observer: @escaping ProgressObserver = { _ in }
    ) async throws -> BackupEngine {
        var remote = RemoteSettings(isEnabled: true, primary: try server.store(bucket: bucket))
        try configure(&remote)
        return try await engine(remote, observer: observer)
    }

    func engine(
        _ remote: RemoteSettings?, directory: String? = nil, observer: @escaping ProgressObserver = { _ in }
    ) async throws -> BackupEngine {
        var configuration = EngineConfiguration(backupDirectory: directory ?? backups)
        configuration.source = .sqlite(path: source)
        configuration.remote = remote
        return try await BackupEngine.open(
            configuration: configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            observer: observer)
    }

    // MARK: The bucket

    func keys(in name: String? = nil) async throws -> [String] {
        var keys: [String] = []
        do {
            for try await object in client.listObjects(in: name ?? bucket) { keys.append(object.key) }
        } catch let error as S3Error where error.code == "NoSuchBucket" {
            return []
        }
        return keys
    }

    func put(_ text: String, _ key: String, metadata: [String: String] = [:]) async throws {
        try? await client.createBucket(bucket)
        var options = PutOptions()
        options.metadata = metadata
        try await client.putObject(S3Object(bucket, key), .bytes(Array(text.utf8)), options: options)
    }

    func content(_ key: String) async throws -> String {
        let (_, body) = try await client.getObject(S3Object(bucket, key), limit: 64 << 20)
        return String(decoding: body, as: UTF8.self)
    }

    // MARK: Files

    /// The archives in the backup directory, without manifests.
    var archives: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: backups)) ?? [])
            .filter { $0.hasSuffix(".json.gz") }.sorted()
    }

    func flip(_ path: String) throws {
        var data = try Data(contentsOf: URL(filePath: path))
        data[data.count / 2] ^= 0x40
        try data.write(to: URL(filePath: path))
    }
}

extension BackupEngine {
    func backUp(_ change: (inout BackupRequest) -> Void = { _ in }) async throws -> BackupResponse {
        var request = BackupRequest()
        change(&request)
        return try await backup(request)
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
