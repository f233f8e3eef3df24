import BackupCore
import BackupEngine
import Foundation
import Synchronization
import Testing

@Suite("PostgreSQL that changes or goes while it is read", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct ChangeTests {
    @Test(
        "Whoever changes a table in the midst waits, and the backup is of before",
        arguments: [
            "ALTER TABLE changing ADD COLUMN b integer DEFAULT 5", "ALTER TABLE changing ALTER COLUMN id TYPE text",
            "DROP TABLE changing", "TRUNCATE changing", "ALTER TABLE changing RENAME TO renamed",
            "DROP SCHEMA other CASCADE",
        ])
    func structure(_ statement: String) async throws {
        let source = try ServerDatabase(
            """
            CREATE TABLE changing AS SELECT n AS id FROM generate_series(1, 1000) n;
            CREATE SCHEMA other; CREATE TABLE other.held AS SELECT 1 AS id;
            """)
        let before = try source.dump()
        let worker = Mutex<(@Sendable () throws -> (Int32, String, String))?>(nil)
        let engine = try await BackupBench().engine { _ in
        } observer: { event in
            guard case .step(.snapshotTaken) = event else { return }
            let started = try? TestServer.start(
                "psql", ["-qX", "-v", "ON_ERROR_STOP=1", "-d", source.address], input: statement)
            worker.withLock { $0 = started }
            let waiting =
                "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT l.granted "
                + "AND d.datname = current_database()"
            while (try? source.rows(waiting))?.isEmpty ?? false {}
        }
        let backup = try await engine.backUp(source.address)
        let target = try ServerDatabase()
        try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
        #expect(try target.dump() == before)
        let wait = try #require(worker.withLock { $0 })
        let (status, _, errors) = try wait()
        #expect(status == 0, "\(errors)")
        #expect(try source.dump() != before)
    }

    @Test("A network that is cut in the midst leaves nothing behind", arguments: [false, true])
    func network(isRestore: Bool) async throws {
        let large =
            "CREATE TABLE large AS SELECT n AS id, repeat(md5(n::text), 8) AS t FROM generate_series(1, 100000) n"
        let (source, target) = (try ServerDatabase(large), try ServerDatabase())
        let bench = try BackupBench()
        let backup = isRestore ? try await bench.engine().backUp(source.address) : nil
        let database = isRestore ? target : source
        let server = try #require(URLComponents(string: try TestServer.address())?.port)
        let relay = try Relay(to: UInt16(server))
        defer { relay.cut() }
        let address = database.address.replacingOccurrences(of: ":\(server)/", with: ":\(relay.port)/")
        let engine = try await bench.engine {
            $0.jobs = 3
        } observer: { event in
            if case .progress = event { relay.cut() }
        }
        let isArchive = { (name: String) in name.hasPrefix("backup_") || name.hasPrefix(".backup") }
        let files = try FileManager.default.contentsOfDirectory(atPath: bench.directory + "/backups").filter(isArchive)
        let error = await failure {
            if let backup {
                try await engine.restore(backup.filename, into: address)
            } else {
                _ = try await engine.backUp(address)
            }
        }
        #expect(error.code == (isRestore ? .target : .source), "\(error)")
        #expect(error.description.contains("table \"large\"") && error.message.contains("lost"), "\(error)")
        #expect(!error.description.contains("\n") && !error.description.contains("s3cret"), "\(error)")
        #expect(try target.rows("SELECT count(*) FROM pg_class WHERE relname = 'large'") == ["0"])
        let left = try FileManager.default.contentsOfDirectory(atPath: bench.directory + "/backups").filter(isArchive)
        #expect(left.sorted() == files.sorted())
    }

    private static let slow = """
        CREATE TABLE slow AS SELECT n AS id, repeat(md5(n::text), 8) AS t FROM generate_series(1, 60000) n;
        """

    @Test("A limit of the role's own does not end a backup") func roleLimit() async throws {
        let source = try ServerDatabase(Self.slow)
        let role = "r" + source.name.dropFirst(3).prefix(20)
        try source.execute(
            "CREATE ROLE \(role) LOGIN PASSWORD 'x' IN ROLE pg_read_all_data; ALTER ROLE \(role) SET statement_timeout = 900"
        )
        defer { try? source.execute("DROP ROLE \(role)") }
        let address = source.address(user: role, password: "x")
        let engine = try await BackupBench().engine {
            $0.jobs = 1
        } observer: {
            Self.holdUp($0, source, seconds: 1.2)
        }
        let backup = try await engine.backUp(address)
        #expect(backup.recordCount == 60_000)
    }

    @Test("Ours ends it, and names the table", arguments: [false, true]) func ownLimit(isRestore: Bool) async throws {
        let (source, target) = (try ServerDatabase(Self.slow), try ServerDatabase())
        let bench = try BackupBench()
        let backup = isRestore ? try await bench.engine().backUp(source.address) : nil
        let held = isRestore ? target : source
        let engine = try await bench.engine {
            $0.jobs = 1
            $0.statementTimeout = .seconds(4)
        } observer: {
            Self.holdUp($0, held, seconds: 4.5)
        }
        let error = await failure {
            if let backup {
                try await engine.restore(backup.filename, into: target.address)
            } else {
                _ = try await engine.backUp(source.address)
            }
        }
        #expect(error.code == (isRestore ? .target : .source), "\(error)")
        #expect(
            error.description.contains("table \"slow\"") && error.message.contains("BACKUP_STATEMENT_TIMEOUT"),
            "\(error)")
        #expect(try target.rows("SELECT count(*) FROM pg_class WHERE relname = 'slow'") == ["0"])
    }

    /// Reads and writes no more until the COPY has gone on for longer than is allowed.
    private static func holdUp(_ event: ProgressEvent, _ database: ServerDatabase, seconds: Double) {
        guard case .progress = event else { return }
        let query = """
            SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' AND state = 'active'
                AND clock_timestamp() - query_start < interval '\(seconds) seconds'
            """
        while (try? database.rows(query))?.isEmpty == false {}
    }
}
