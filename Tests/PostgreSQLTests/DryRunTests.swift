import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("PostgreSQL, dry runs", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct DryRunTests {
    private static let definition = """
        CREATE TABLE parent (id serial PRIMARY KEY, t text UNIQUE);
        CREATE TABLE child (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent integer REFERENCES parent,
            twice integer GENERATED ALWAYS AS (1 + 1) STORED, day date);
        CREATE TABLE parts (id integer, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (1) TO (100);
        CREATE TABLE parts_b PARTITION OF parts DEFAULT;
        CREATE TABLE of_parts (id integer REFERENCES parts);
        """
    private static let rows = """
        INSERT INTO parent (t) SELECT 't' || n FROM generate_series(1, 300) n;
        INSERT INTO child (parent) SELECT n FROM generate_series(1, 300) n;
        INSERT INTO parts SELECT generate_series(1, 200);
        INSERT INTO of_parts VALUES (5), (150);
        """

    @Test("Whoever uses the tables goes on meanwhile, and all stays as it is") func undisturbed() async throws {
        let source = try ServerDatabase(Self.definition + Self.rows)
        let target = try ServerDatabase(Self.definition + Self.rows)
        let bench = try BackupBench()
        let backup = try await bench.engine().backUp(source.address)
        let strong = """
            SELECT DISTINCT l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
            WHERE c.relname IN ('parent', 'child', 'parts_a', 'parts_b', 'of_parts', 'parent_id_seq')
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND l.pid <> pg_backend_pid()
            """
        let seen = Seen()
        let engine = try await bench.engine(observer: { event in
            guard event == .step(.loadingFinished) else { return }
            seen.modes = (try? target.rows(strong)) ?? ["?"]
            try? target.execute("SET lock_timeout = '3s'; INSERT INTO parent (id, t) VALUES (1000, 'meanwhile')")
        })
        let response = try await engine.restore(backup.filename, into: target.address) {
            $0.dryRun = true
            $0.clearExisting = true
            $0.prove = true
        }
        #expect(response.totalRecords == 300 + 300 + 200 + 2)
        #expect(response.warnings == [])
        #expect(seen.modes == ["AccessShareLock"])
        #expect(try target.rows("SELECT t FROM parent WHERE id = 1000") == ["meanwhile"])
        try target.execute("DELETE FROM parent WHERE id = 1000")
        #expect(try target.dump() == source.dump())
    }

    private final class Seen: @unchecked Sendable {
        var modes: [String] = []
    }

    @Test("It finds what the restore would find", arguments: 0..<5) func findings(_ kind: Int) async throws {
        let source = try ServerDatabase(Self.definition + Self.rows)
        let target = try ServerDatabase(Self.definition)
        let changes = [
            "ALTER TABLE parent ADD CHECK (id < 300)",
            "ALTER TABLE of_parts DROP CONSTRAINT of_parts_id_fkey; CREATE TABLE elsewhere (id integer PRIMARY KEY); ALTER TABLE of_parts ADD FOREIGN KEY (id) REFERENCES elsewhere",
            "DROP TABLE parts_b CASCADE; CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (100) TO (150)",
            "INSERT INTO parent (t) VALUES ('there')", "CREATE TABLE third (id integer REFERENCES parent)",
        ]
        let words = [
            ["parent_id_check"], ["elsewhere", "first is 150"], ["partition"], ["holds rows already"], ["third"],
        ]
        try target.execute(changes[kind])
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let before = try target.dump()
        let errors = await [true, false].asyncMap { dryRun in
            await failure {
                try await engine.restore(backup.filename, into: target.address) {
                    $0.dryRun = dryRun
                    $0.clearExisting = kind == 4
                }
            }
        }
        for error in errors { #expect(error.code == .target, "\(error)") }
        for word in words[kind] { #expect(errors[0].description.contains(word), "\(errors[0])") }
        #expect(try target.dump() == before)
    }

    @Test("A role without temporary tables is told how the tables themselves are spared") func noTemporaryTables()
        async throws
    {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let target = try ServerDatabase("CREATE TABLE t (id integer)")
        let role = "r\(target.name.suffix(16))"
        try target.execute(
            """
            CREATE ROLE \(role) LOGIN PASSWORD 'hunter2'; ALTER TABLE t OWNER TO \(role);
            REVOKE TEMPORARY ON DATABASE \(target.name) FROM PUBLIC;
            """)
        defer { try? target.execute("DROP OWNED BY \(role); DROP ROLE \(role)") }
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let address = target.address(user: role, password: "hunter2")
        let response = try await engine.restore(backup.filename, into: address) { $0.dryRun = true }
        #expect(response.totalRecords == 1)
        #expect(response.warnings.contains { $0.contains("GRANT TEMPORARY ON DATABASE") })
        #expect(try target.rows("SELECT count(*) FROM t") == ["0"])
    }
}

extension Array {
    fileprivate func asyncMap<Output>(_ body: (Element) async -> Output) async -> [Output] {
        var outputs: [Output] = []
        for element in self { outputs.append(await body(element)) }
        return outputs
    }
}
