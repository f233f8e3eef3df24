import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("PostgreSQL in use", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct LiveTests {
    /// Runs `body` while the server runs `work` again and again, each time in a transaction of its own.
    private func during(
        _ work: String, workers: Int = 1, in database: ServerDatabase, _ body: () async throws -> Void
    ) async throws {
        let loop = """
            DO $loop$ BEGIN
                UPDATE control SET running = running + 1; COMMIT;
                LOOP
                    EXIT WHEN (SELECT stop FROM control);
                    \(work)
                    COMMIT;
                END LOOP;
            END $loop$;
            """
        try database.execute("CREATE TABLE control AS SELECT false AS stop, 0 AS running")
        let working = try (0..<workers).map { _ in
            try TestServer.start("psql", ["-qX", "-v", "ON_ERROR_STOP=1", "-d", database.address], input: loop)
        }
        while try database.rows("SELECT running FROM control") != ["\(workers)"] {}
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        try database.execute("UPDATE control SET stop = true")
        for worker in working {
            let (status, _, errors) = try worker()
            #expect(status == 0, "\(errors)")
        }
        try outcome.get()
    }

    @Test("Transfers between accounts never change the sum") func transfers() async throws {
        // The second table is large enough that several connections read it, with pages that are mostly empty.
        let database = try ServerDatabase(
            """
            CREATE TABLE account_a (id integer PRIMARY KEY, balance integer NOT NULL);
            CREATE TABLE account_b (id integer PRIMARY KEY, balance integer NOT NULL) WITH (fillfactor = 10);
            INSERT INTO account_a SELECT n, 1000 FROM generate_series(1, 500) n;
            INSERT INTO account_b SELECT n, 1000 FROM generate_series(1, 25000) n;
            """)
        #expect(try database.rows("SELECT pg_relation_size('account_b') >= 1024 * 8192") == ["t"])
        // A pause leaves the processors to the backup. Drawn first, for a condition that is drawn anew for each row may find none, or several.
        let transfer = """
            PERFORM set_config('eb.a', (1 + floor(random() * 500))::text, false),
                set_config('eb.b', (1 + floor(random() * 25000))::text, false);
            UPDATE account_a SET balance = balance - 7 WHERE id = current_setting('eb.a')::integer;
            UPDATE account_b SET balance = balance + 7 WHERE id = current_setting('eb.b')::integer;
            PERFORM pg_sleep(0.001);
            """
        let bench = try BackupBench()
        let engine = try await bench.engine { $0.jobs = 3 }
        try await during(transfer, workers: 3, in: database) {
            for run in 0..<50 {
                let backup = try await engine.backUp(database.address)
                let rows = try ["account_a", "account_b"].flatMap { try bench.rows(of: $0, in: backup.filePath) }
                #expect(rows.count == 25_500)
                let sum = rows.compactMap { $0["balance"] as? Int }.reduce(0, +)
                #expect(sum == 25_500_000, "run \(run)")
            }
        }
        #expect(try database.rows("SELECT count(*) > 1000 FROM account_b WHERE balance <> 1000") == ["t"])
    }

    @Test("A table that is emptied and filled at once is never seen empty") func truncation() async throws {
        let database = try ServerDatabase("CREATE TABLE filled AS SELECT generate_series(1, 1000) AS id")
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let work = "TRUNCATE filled; INSERT INTO filled SELECT generate_series(1, 1000);"
        try await during(work, in: database) {
            for _ in 0..<8 {
                let backup = try await engine.backUp(database.address)
                #expect(try bench.rows(of: "filled", in: backup.filePath).count == 1000)
            }
        }
    }

    @Test("However many connections read a large table, the archive's rows are the same") func connections()
        async throws
    {
        let database = try ServerDatabase(
            """
            CREATE TABLE large AS SELECT n AS id, repeat(md5(n::text), 4) AS t FROM generate_series(1, 120000) n;
            UPDATE large SET t = E'a\\nb' WHERE id % 7 = 0;
            DELETE FROM large WHERE id BETWEEN 30000 AND 60000;
            INSERT INTO large SELECT n, NULL FROM generate_series(200000, 200100) n;
            """)
        #expect(try database.rows("SELECT pg_relation_size('large') > 2048 * 8192") == ["t"])
        let bench = try BackupBench()
        var digests: Set<String> = []
        for jobs in [1, 2, 5] {
            let backup = try await bench.engine { $0.jobs = jobs }.backUp(database.address)
            #expect(backup.recordCount == 120_000 - 30_001 + 101)
            let rows = try bench.rows(of: "large", in: backup.filePath)
            digests.insert(rows.map { "\($0["id"] ?? "") \($0["t"] ?? "")" }.joined(separator: "|"))
        }
        #expect(digests.count == 1)
    }

    @Test("Who waits for a table does not stop the connections that read it") func waiting() async throws {
        let database = try ServerDatabase(
            "CREATE TABLE large AS SELECT n AS id, repeat(md5(n::text), 4) AS t FROM generate_series(1, 80000) n")
        let work =
            "TRUNCATE large; INSERT INTO large SELECT n, repeat(md5(n::text), 4) FROM generate_series(1, 80000) n;"
        let bench = try BackupBench()
        let engine = try await bench.engine { $0.jobs = 3 }
        try await during(work, in: database) {
            for _ in 0..<4 {
                let backup = try await engine.backUp(database.address)
                #expect(backup.recordCount == 80_001)
            }
        }
    }

    @Test("Tables that come and go do not disturb, or the run says so") func comingAndGoing() async throws {
        let database = try ServerDatabase("CREATE TABLE stays AS SELECT 1 AS id")
        let engine = try await BackupBench().engine()
        let work = "CREATE TABLE IF NOT EXISTS comes AS SELECT 2 AS id; COMMIT; DROP TABLE comes;"
        try await during(work, in: database) {
            var completed = 0
            for _ in 0..<5 {
                let error = await failure {
                    _ = try await engine.backUp(database.address)
                    completed += 1
                }
                if error.message != "nothing failed" { #expect(error.code == .source, "\(error)") }
            }
            #expect(completed > 0)
        }
    }
}
