import BackupCore
import BackupEngine
import Foundation
import Glibc
import Testing

/// Restores that are killed at moments that nobody chose: the program, or the server that it restores into.
@Suite("PostgreSQL, killed", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"), .serialized)
struct KillTests {
    enum Victim: String, CaseIterable { case program, server }

    private static let rounds = 20
    private static let definition = """
        CREATE TABLE parent (id integer PRIMARY KEY, t text);
        CREATE TABLE child (id serial PRIMARY KEY, parent integer REFERENCES parent, t text);
        CREATE INDEX ON child (t);
        CREATE TABLE large (n integer, t text);
        INSERT INTO parent SELECT n, md5(n::text) FROM generate_series(1, 2000) n;
        INSERT INTO child (parent, t) SELECT 1 + n % 2000, md5(n::text) FROM generate_series(1, 20000) n;
        INSERT INTO large SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 40000) n;
        SELECT lo_from_bytea(4711, 'large object');
        """
    /// Nothing, or the numbers of rows, indexes, constraints and large objects.
    private static let state = """
        SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public') AND NOT EXISTS (SELECT 1 FROM pg_largeobject_metadata) THEN 'empty'
            ELSE concat_ws(' ', (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
                (SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
                (SELECT count(*) FROM pg_largeobject_metadata),
                (xpath('//c/text()', query_to_xml('SELECT (SELECT count(*) FROM parent) + (SELECT count(*) FROM child)
                    + (SELECT count(*) FROM large) AS c', false, true, '')))[1]::text) END
        """

    @Test(
        "The target is empty or complete, and nothing stays behind",
        arguments: [1, 2], Victim.allCases)
    func killed(jobs: Int, victim: Victim) async throws {
        let server = try PrivateServer()
        try server.recreate("source")
        try server.execute(Self.definition, in: "source")
        let bench = try BackupBench()
        let backup = try await bench.engine().backUp(server.address("source"))
        let arguments = [
            "restore", backup.filename, "--into", server.address("target"), "--jobs", "\(jobs)", "--json",
            "--backup-dir", bench.directory + "/backups",
        ]
        try server.recreate("target")
        let first = try ProgramRun(arguments).wait()
        #expect(first.status == 0, "\(first.messages)")
        let complete = try server.rows(Self.state, in: "target")
        #expect(complete != ["empty"])
        var (usual, interrupted) = (first.seconds, 0)
        for round in 0..<Self.rounds {
            try server.recreate("target")
            let run = try ProgramRun(arguments)
            // At random within each tenth of the usual time, again and again.
            usleep(useconds_t(usual * (Double(round % 10) + .random(in: 0..<1)) / 10 * 1e6))
            switch victim {
            case .program: run.killNow()
            case .server: if round % 2 == 0 { try server.killAll() } else { try server.killBackend() }
            }
            let end = try run.wait()
            if end.status == 0, !end.wasKilled { usual = min(usual, end.seconds) } else { interrupted += 1 }
            try server.waitForSessions()
            let found = try server.rows(Self.state, in: "target")
            #expect(found == ["empty"] || found == complete, "round \(round): \(found), \(end.messages)")
            if end.status == 0, !end.wasKilled { #expect(found == complete, "round \(round)") }
        }
        #expect(interrupted >= Self.rounds / 4)
        // The server may keep a restore from dropping what it has replaced: the next one does it.
        for _ in 0..<2 {
            let before = try server.scratchDatabases()
            try server.recreate("target")
            let last = try ProgramRun(arguments).wait()
            #expect(last.status == 0, "\(last.messages)")
            #expect(try server.rows(Self.state, in: "target") == complete)
            let after = try server.scratchDatabases()
            #expect(after.filter { before.contains($0) } == [], "\(last.messages)")
        }
    }
}
