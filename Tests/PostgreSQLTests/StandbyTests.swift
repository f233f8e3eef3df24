import BackupCore
import BackupEngine
import DatabaseSource
import Foundation
import Synchronization
import Testing

@Suite("A standby", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"), .serialized)
struct StandbyTests {
    private static let large = """
        CREATE TABLE large AS SELECT n AS id, repeat(md5(n::text), 4) AS t FROM generate_series(1, 90000) n;
        """

    @Test("A backup of a standby holds what its primary's does, but for what a standby does not have")
    func backup() async throws {
        let source = try ServerDatabase(
            Self.large + """
                CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS id;
                CREATE TABLE kept (id serial PRIMARY KEY, p oid);
                INSERT INTO kept (p) VALUES (lo_from_bytea(4711, decode(repeat('00ff', 300000), 'hex')));
                CREATE MATERIALIZED VIEW view AS SELECT count(*) FROM large;
                """)
        let standby = try Standby()
        try standby.catchUp(with: source)
        let engine = try await BackupBench().engine { $0.jobs = 3 }
        let backup = try await engine.backUp(standby.address(of: source))
        #expect(
            backup.warnings.count == 1 && backup.warnings.first?.contains("\"unlogged\"") == true, "\(backup.warnings)")
        let details = try await engine.show(BackupReference(backup.filename))
        #expect(details.archive.source?.snapshot.contains("standby") == true)
        let ledger = try #require(details.archive.ledger)
        #expect(ledger.contains { $0.name == "unlogged" && $0.holding == .excluded })
        let target = try ServerDatabase()
        try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
        try source.execute("DELETE FROM unlogged")
        try ServerDatabase.expectEqual(source, target)
        let refused = await failure {
            try await engine.restore(backup.filename, into: standby.address(of: source))
        }
        #expect(refused.code == .target && refused.message.contains("is a standby"), "\(refused)")
    }

    /// Removes rows that the backup sees, on the primary, where they are in nobody's way.
    private static func disturb(_ database: ServerDatabase, _ standby: Standby) throws {
        try database.execute("UPDATE large SET t = 'changed' WHERE id % 50 = 0; VACUUM large")
        try standby.catchUp(with: database)
    }

    @Test("A query that is in the way of replay is ended, and the backup begins anew", arguments: [false, true])
    func conflict(whileReading: Bool) async throws {
        let source = try ServerDatabase(Self.large)
        let standby = try Standby()
        try standby.catchUp(with: source)
        let isDone = Atomic<Bool>(false)
        let failures = Mutex<[String]>([])
        let engine = try await BackupBench().engine {
            $0.jobs = 1
        } observer: { event in
            let isMoment =
                switch event {
                case .step(.snapshotTaken): !whileReading
                case .progress: whileReading
                default: false
                }
            guard isMoment, !isDone.exchange(true, ordering: .relaxed) else { return }
            do {
                try Self.disturb(source, standby)
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        let backup = try await engine.backUp(standby.address(of: source))
        #expect(failures.withLock { $0 } == [])
        #expect(backup.recordCount == 90_000)
        let warning = try #require(backup.warnings.first)
        #expect(backup.warnings.count == 1 && warning.hasPrefix("attempt 1 failed"), "\(backup.warnings)")
        let target = try ServerDatabase()
        try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
        #expect(try target.rows("SELECT count(*) FROM large WHERE t = 'changed'") == ["1800"])
    }

    @Test("Where it happens again and again the run fails and says what to set") func endlessConflict() async throws {
        let source = try ServerDatabase(Self.large)
        let standby = try Standby()
        try standby.catchUp(with: source)
        let attempts = Atomic<Int>(0)
        let bench = try BackupBench()
        let engine = try await bench.engine {
            $0.jobs = 1
        } observer: { event in
            guard case .step(.snapshotTaken) = event else { return }
            attempts.add(1, ordering: .relaxed)
            try? Self.disturb(source, standby)
        }
        let error = await failure { _ = try await engine.backUp(standby.address(of: source)) }
        #expect(error.code == .source)
        #expect(attempts.load(ordering: .relaxed) == 3)
        for words in ["3 attempts", "hot_standby_feedback", "max_standby_streaming_delay"] {
            #expect(error.message.contains(words), "\(error)")
        }
        #expect(!error.description.contains("\n") && !error.description.contains("s3cret"))
        let files = try FileManager.default.contentsOfDirectory(atPath: bench.directory + "/backups")
        #expect(!files.contains { $0.hasPrefix("backup_") || $0.hasPrefix(".backup") }, "\(files)")
    }
}
