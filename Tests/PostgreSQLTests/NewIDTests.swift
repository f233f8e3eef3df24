import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("PostgreSQL, new ids", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct NewIDTests {
    static let definition = """
        CREATE TABLE person (id serial PRIMARY KEY, name text, boss integer REFERENCES person);
        CREATE TABLE project (id uuid PRIMARY KEY, title text, parent uuid REFERENCES project);
        CREATE TABLE task (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project uuid REFERENCES project,
            owner integer REFERENCES person, twice bigint GENERATED ALWAYS AS (2) STORED);
        CREATE TABLE member (person integer REFERENCES person, project uuid REFERENCES project,
            PRIMARY KEY (person, project));
        CREATE TABLE event (id serial, day date, task bigint REFERENCES task, PRIMARY KEY (id, day))
            PARTITION BY RANGE (day);
        CREATE TABLE event_a PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
        CREATE TABLE event_b PARTITION OF event DEFAULT;
        CREATE TABLE note (text text);
        """
    static let rows = """
        INSERT INTO person VALUES (1, 'a', NULL), (2, 'b', 1), (5, 'c', 2);
        INSERT INTO project VALUES ('00000000-0000-0000-0000-000000000001', 'p', NULL),
            ('00000000-0000-0000-0000-000000000002', 'q', '00000000-0000-0000-0000-000000000001');
        INSERT INTO task (project, owner) SELECT '00000000-0000-0000-0000-000000000002', 5 FROM generate_series(1, 3);
        INSERT INTO member VALUES (1, '00000000-0000-0000-0000-000000000001'), (5, '00000000-0000-0000-0000-000000000002');
        INSERT INTO event (day, task) VALUES ('2025-01-05', 1), ('2026-01-05', 3);
        INSERT INTO note VALUES ('n');
        SELECT setval('person_id_seq', 9);
        """
    /// The rows as they hang together, without ids.
    static let picture = """
        SELECT 'p', p.name, b.name, count(m.*) FROM person p LEFT JOIN person b ON b.id = p.boss
            LEFT JOIN member m ON m.person = p.id GROUP BY p.id, b.id
        UNION ALL SELECT 't', o.name || j.title, r.title, count(e.*) FROM task t JOIN person o ON o.id = t.owner
            JOIN project j ON j.id = t.project JOIN project r ON r.id = j.parent LEFT JOIN event e ON e.task = t.id
            GROUP BY t.id, o.id, j.id, r.id
        UNION ALL SELECT 'n', text, '', 1 FROM note ORDER BY 1, 2, 3, 4
        """

    @Test("Rows join others twice, and hang together as before") func twice() async throws {
        let source = try ServerDatabase(Self.definition + Self.rows)
        let target = try ServerDatabase(Self.definition + Self.rows)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let before = try target.dump("--data-only")
        // A dry run leaves all as it is, the sequences too.
        try await engine.restore(backup.filename, into: target.address) {
            $0.regenerateIDs = true
            $0.dryRun = true
        }
        #expect(try target.dump("--data-only") == before)
        for _ in 0..<2 {
            let response = try await engine.restore(backup.filename, into: target.address) { $0.regenerateIDs = true }
            #expect(response.totalRecords == 3 + 2 + 3 + 2 + 2 + 1)
            #expect(response.warnings.contains { $0.contains("not declared") })
        }
        let expected = try source.rows(Self.picture).flatMap { Array(repeating: $0, count: 3) }
        #expect(try target.rows(Self.picture) == expected)
        #expect(try target.rows("SELECT min(id), max(id) FROM person WHERE id > 5") == ["10|19"])
        #expect(try target.rows("SELECT nextval('person_id_seq'), nextval('event_id_seq')") == ["20|7"])
        #expect(try target.rows("INSERT INTO task DEFAULT VALUES RETURNING id") == ["10"])
        #expect(
            try target.rows(
                "SELECT count(DISTINCT id), count(*) FILTER (WHERE id::text LIKE '________-____-4___-8___-%') FROM project"
            )
                == ["6|4"])
    }

    @Test("What cannot follow is refused by name, and nothing is changed", arguments: 0..<6)
    func refused(_ kind: Int) async throws {
        let definitions = [
            "CREATE TABLE country (code text PRIMARY KEY); INSERT INTO country VALUES ('DE');",
            "CREATE TABLE a (id smallserial PRIMARY KEY); INSERT INTO a VALUES (1), (32000);",
            "CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE c (p integer REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);",
            "CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE c (x integer, p integer GENERATED ALWAYS AS (x) STORED REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);",
            "CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE c (p integer); INSERT INTO c VALUES (8); ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p NOT VALID;",
            "CREATE TABLE e (id serial PRIMARY KEY, mail text UNIQUE); INSERT INTO e VALUES (1, 'x');",
        ]
        let words = [
            ["\"code\"", "neither a number", "--tables"], ["\"id\"", "\"a\"", "no room"],
            ["\"c\"", "\"p\"", "is not restored"],
            ["\"p\"", "\"c\"", "is computed"], ["1 rows of table \"c\"", "by the value 8"],
            ["e_mail_key"],
        ]
        let source = try ServerDatabase(definitions[kind])
        let target = try ServerDatabase(definitions[kind])
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let before = try target.dump()
        let error = await failure {
            try await engine.restore(backup.filename, into: target.address) {
                $0.regenerateIDs = true
                if kind == 2 { $0.tables = ["c"] }
            }
        }
        #expect(error.code == .target)
        for word in words[kind] { #expect(error.description.contains(word), "\(error)") }
        #expect(try target.dump() == before)
    }

    @Test("References to natural keys stay, and an empty database is refused") func natural() async throws {
        let definition = """
            CREATE TABLE country (code text PRIMARY KEY); INSERT INTO country VALUES ('DE');
            CREATE TABLE city (id serial PRIMARY KEY, country text REFERENCES country);
            INSERT INTO city (country) VALUES ('DE'), (NULL);
            """
        let source = try ServerDatabase(definition)
        let target = try ServerDatabase(definition)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        try await engine.restore(backup.filename, into: target.address) {
            $0.regenerateIDs = true
            $0.tables = ["city"]
        }
        #expect(try target.rows("SELECT id, country FROM city ORDER BY 1") == ["1|DE", "2|", "3|DE", "4|"])
        let empty = try ServerDatabase()
        let error = await failure {
            try await engine.restore(backup.filename, into: empty.address) { $0.regenerateIDs = true }
        }
        #expect(error.message.contains("has no tables, and --regenerate-ids"), "\(error)")
    }
}
