import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("PostgreSQL that fails", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct FailureTests {
    /// A role of its own that may log in; its name and password.
    private func role(_ database: ServerDatabase, _ grants: String = "") throws -> (name: String, password: String) {
        let role = ("r" + database.name.dropFirst(3).prefix(20), "hunter2secret")
        try database.execute(
            "CREATE ROLE \(role.0) LOGIN PASSWORD '\(role.1)'; "
                + grants.replacingOccurrences(of: "ROLE", with: role.0))
        return role
    }

    private func drop(_ role: String, _ database: ServerDatabase) {
        try? database.execute("DROP OWNED BY \(role) CASCADE; DROP ROLE \(role)")
    }

    /// One line, and without a secret.
    private func expectPlain(_ error: BackupError, _ sourceLocation: SourceLocation = #_sourceLocation) {
        let text = error.description
        #expect(!text.contains("\n"), sourceLocation: sourceLocation)
        #expect(!text.contains("hunter2"), sourceLocation: sourceLocation)
        #expect(!text.contains("s3cret"), sourceLocation: sourceLocation)
    }

    @Test("A wrong password, no server, no database: one line each, without the password", arguments: 0..<4)
    func connecting(_ kind: Int) async throws {
        let database = try ServerDatabase()
        let engine = try await BackupBench().engine()
        let address =
            switch kind {
            case 0: database.address(user: "admin", password: "hunter2")
            case 1: "postgresql://admin:hunter2@127.0.0.1:1/x"
            case 2: database.address + "_not_there"
            default: "postgresql://admin:hunter2%zz@127.0.0.1/x"
            }
        let error = await failure { _ = try await engine.backUp(address) }
        #expect(error.code == (kind == 3 ? .usage : .source), "\(error)")
        expectPlain(error)
        let words = ["authentication failed", "Connection refused", "does not exist", "malformed"]
        #expect(error.message.contains(words[kind]), "\(error)")
    }

    @Test("A role that may read everything is enough") func readingRole() async throws {
        let database = try ServerDatabase(
            "CREATE TABLE t AS SELECT 1 AS id; CREATE SEQUENCE s; CREATE SCHEMA x; CREATE TABLE x.t()")
        let role = try role(database, "GRANT pg_read_all_data TO ROLE")
        defer { drop(role.name, database) }
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(database.address(user: role.name, password: role.password))
        #expect(backup.recordCount == 1)
    }

    @Test("A table that may not be read fails the backup and is named") func noSelect() async throws {
        let database = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE hidden AS SELECT 1 AS id")
        let role = try role(database, "GRANT SELECT ON t TO ROLE")
        defer { drop(role.name, database) }
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let error = await failure {
            _ = try await engine.backUp(database.address(user: role.name, password: role.password))
        }
        #expect(error.code == .source)
        #expect(error.message.contains("hidden") && error.message.contains("GRANT"), "\(error)")
        expectPlain(error)
        let files = try FileManager.default.contentsOfDirectory(atPath: bench.directory + "/backups")
        #expect(!files.contains { $0.hasPrefix("backup_") || $0.hasPrefix(".backup") }, "\(files)")
    }

    @Test("Rows hidden by row-level security fail the backup") func rowSecurity() async throws {
        let database = try ServerDatabase(
            """
            CREATE TABLE guarded AS SELECT 1 AS id;
            ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
            """)
        let role = try role(database, "GRANT pg_read_all_data TO ROLE")
        defer { drop(role.name, database) }
        let engine = try await BackupBench().engine()
        let error = await failure {
            _ = try await engine.backUp(database.address(user: role.name, password: role.password))
        }
        #expect(error.code == .source)
        #expect(error.description.contains("guarded") && error.message.contains("BYPASSRLS"), "\(error)")
    }

    @Test("A target without the tables, and one with rows, are refused and unchanged") func refusals() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE u AS SELECT 1 AS id")
        let target = try ServerDatabase("CREATE TABLE t (other integer)")
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let error = await failure { try await engine.restore(backup.filename, into: target.address) }
        #expect(error.code == .target)
        #expect(error.message.contains("\"u\"") && error.message.contains("lacks the column \"id\""), "\(error)")
        let empty = try ServerDatabase()
        let dataOnly = await failure {
            try await engine.restore(backup.filename, into: empty.address) { $0.dataOnly = true }
        }
        #expect(dataOnly.code == .target)
        #expect(dataOnly.message.contains("no tables"), "\(dataOnly)")
    }

    @Test("A constraint that the last row breaks leaves the target as it was") func constraint() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT generate_series(1, 5000) AS id")
        let target = try ServerDatabase(
            """
            CREATE TABLE t (id integer CHECK (id < 5000));
            INSERT INTO t VALUES (77);
            """)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let before = try target.dump()
        let error = await failure {
            try await engine.restore(backup.filename, into: target.address) { $0.clearExisting = true }
        }
        #expect(error.code == .target)
        #expect(error.description.contains("t_id_check") && error.description.contains("line 5000"), "\(error)")
        #expect(try target.dump() == before)
    }

    @Test("A foreign key of a table that was not chosen refuses") func cascade() async throws {
        let database = try ServerDatabase(
            """
            CREATE TABLE parent (id integer PRIMARY KEY);
            CREATE TABLE child (id integer REFERENCES parent ON DELETE CASCADE);
            INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1);
            """)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(database.address)
        let before = try database.dump()
        let error = await failure {
            try await engine.restore(backup.filename, into: database.address) {
                $0.clearExisting = true
                $0.tables = ["parent"]
            }
        }
        #expect(error.code == .target)
        #expect(error.message.contains("child"), "\(error)")
        #expect(try database.dump() == before)
    }

    @Test("A role that the target lacks is named; --no-owner does without it") func missingRole() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let role = try role(source)
        try source.execute("ALTER TABLE t OWNER TO \(role.name); GRANT SELECT ON t TO \(role.name)")
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        drop(role.name, source)
        let target = try ServerDatabase()
        let error = await failure { try await engine.restore(backup.filename, into: target.address) }
        #expect(error.code == .target)
        #expect(error.message.contains(role.name) && error.message.contains("--no-owner"), "\(error)")
        #expect(try target.rows("SELECT count(*) FROM pg_class WHERE relname = 't'") == ["0"])
        try await engine.restore(backup.filename, into: target.address) {
            $0.noOwner = true
            $0.prove = true
        }
        #expect(try target.rows("SELECT id FROM t") == ["1"])
    }

    @Test("A connection cut in the midst leaves nothing behind", arguments: [false, true])
    func cut(isRestore: Bool) async throws {
        let source = try ServerDatabase(
            """
            CREATE TABLE a AS SELECT generate_series(1, 100000) AS id, repeat('x', 100) AS t;
            CREATE TABLE b AS SELECT generate_series(1, 100000) AS id, repeat('x', 100) AS t;
            """)
        let target = try ServerDatabase()
        let bench = try BackupBench()
        let backup = isRestore ? try await bench.engine().backUp(source.address) : nil
        let database = isRestore ? target : source
        let engine = try await bench.engine { _ in
        } observer: { event in
            guard case .step(let step) = event, step == (isRestore ? .tableLoaded : .tableWritten) else { return }
            _ = try? database.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    + "AND pid <> pg_backend_pid()")
        }
        let error = await failure {
            if let backup {
                try await engine.restore(backup.filename, into: target.address)
            } else {
                _ = try await engine.backUp(source.address)
            }
        }
        #expect(error.code == (isRestore ? .target : .source), "\(error)")
        expectPlain(error)
        #expect(try target.rows("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b')") == ["0"])
    }

    @Test("A lock that is held is waited for no longer than allowed") func lockTimeout() async throws {
        let database = try ServerDatabase(
            "CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE control AS SELECT false AS stop")
        let holder = try TestServer.start(
            "psql", ["-qX", "-d", database.address],
            input: """
                BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
                SELECT pg_advisory_lock(1);
                DO $$ BEGIN LOOP
                    EXIT WHEN NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted) AND EXISTS (
                        SELECT 1 FROM control WHERE stop);
                END LOOP; END $$;
                ROLLBACK;
                """)
        while try database.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted").isEmpty {}
        let engine = try await BackupBench().engine { $0.lockTimeout = .milliseconds(300) }
        let error = await failure { _ = try await engine.backUp(database.address) }
        try database.execute("UPDATE control SET stop = true")
        _ = try holder()
        #expect(error.code == .source)
        #expect(error.message.contains("BACKUP_LOCK_TIMEOUT"), "\(error)")
    }
}
