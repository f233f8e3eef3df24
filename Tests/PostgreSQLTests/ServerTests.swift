import BackupCore
import BackupEngine
import DatabaseSource
import Foundation
import Testing

@Suite("What belongs to the server", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct ServerTests {
    /// Roles of its own, which go with the last reference.
    private final class Roles: Sendable {
        let names: [String]
        private let database: ServerDatabase

        init(_ count: Int, in database: ServerDatabase) throws {
            self.database = database
            names = (0..<count).map { "R\($0) " + database.name.suffix(16) }
            for name in quoted { try database.execute("CREATE ROLE \(name) LOGIN PASSWORD 'hunter2secret'") }
        }

        /// As they stand in SQL.
        var quoted: [String] { names.map { "\"\($0)\"" } }

        func drop() {
            for name in quoted { try? database.execute("DROP OWNED BY \(name) CASCADE; DROP ROLE \(name)") }
        }

        deinit { drop() }
    }

    /// What `ALTER DATABASE` and `COMMENT` have set.
    private func properties(_ database: ServerDatabase) throws -> [String] {
        try database.rows(
            """
            SELECT coalesce(pg_get_userbyid(nullif(s.setrole, 0)), ''), s.setconfig FROM pg_db_role_setting s
            JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()
            UNION ALL SELECT 'comment', ARRAY[shobj_description(oid, 'pg_database')] FROM pg_database
            WHERE datname = current_database() ORDER BY 1
            """)
    }

    private func rights(_ database: ServerDatabase) throws -> [String] {
        try database.rows(
            "SELECT datconnlimit, a::text FROM pg_database, aclexplode(datacl) a WHERE datname = current_database() "
                + "ORDER BY 2")
    }

    private func printed(_ part: DefinitionPart, of path: String) async throws -> String {
        let file = NSTemporaryDirectory() + "definitions-" + UUID().uuidString
        try Data().write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let handle = try #require(FileHandle(forWritingAtPath: file))
        try await BackupEngine.catDefinitions(path: path, part: part, to: handle.fileDescriptor)
        try handle.close()
        return try String(contentsOfFile: file, encoding: .utf8)
    }

    @Test("Comment and settings of the database come back; roles are held without passwords") func properties()
        async throws
    {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let roles = try Roles(2, in: source)
        let (name, quoted) = (source.name, roles.quoted)
        try source.execute(
            """
            COMMENT ON DATABASE \(name) IS 'it''s "mine"';
            ALTER DATABASE \(name) SET search_path TO "$user", 'a b', "q""x", public;
            ALTER DATABASE \(name) SET work_mem TO '5MB';
            ALTER DATABASE \(name) SET "app.words" TO 'it''s \\ here';
            ALTER ROLE \(quoted[0]) IN DATABASE \(name) SET lock_timeout TO '7s';
            ALTER ROLE \(quoted[1]) SET work_mem TO '6MB';
            GRANT CONNECT ON DATABASE \(name) TO \(quoted[1]) WITH GRANT OPTION;
            ALTER TABLE t OWNER TO \(quoted[0]);
            """)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let target = try ServerDatabase()
        let response = try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
        #expect(response.warnings == [])
        #expect(try properties(target) == properties(source))
        let globals = try await printed(.globals, of: backup.filePath)
        for role in quoted { #expect(globals.contains("CREATE ROLE \(role);")) }
        #expect(globals.contains("SET work_mem TO '6MB'"))
        #expect(!globals.contains("PASSWORD") && !globals.contains("SCRAM"))
        #expect(try !BackupBench().text(of: backup.filePath).contains("hunter2"))
        let ledger = try #require(try await engine.show(BackupReference(backup.filename)).archive.ledger)
        for (type, name) in [
            ("role", roles.names[0]), ("role", roles.names[1]), ("database", name), ("database setting", "search_path"),
            ("database setting", "lock_timeout of role \(roles.names[0])"),
        ] {
            #expect(
                ledger.contains { $0.type == type && $0.name == name && $0.holding == .definition }, "\(type) \(name)")
        }
        // The statements that are shown make such a database.
        let script = try await printed(.database, of: backup.filePath)
        let (before, rightsBefore) = (try properties(source), try rights(source))
        let server = try TestServer.address()
        try TestServer.run("psql", ["-qX", "-d", server, "-c", "DROP DATABASE \(name)"])
        try TestServer.run("psql", ["-qX", "-v", "ON_ERROR_STOP=1", "-d", server], input: script)
        #expect(try properties(source) == before)
        #expect(try rights(source) == rightsBefore)
    }

    @Test("What the role may not set is left, with a warning each") func notPermitted() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        try source.execute(
            "COMMENT ON DATABASE \(source.name) IS 'x'; ALTER DATABASE \(source.name) SET log_statement TO 'none'")
        let target = try ServerDatabase()
        let roles = try Roles(1, in: target)
        try target.execute(
            "GRANT CREATE ON DATABASE \(target.name) TO \(roles.quoted[0]); GRANT ALL ON SCHEMA public TO PUBLIC")
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let user = try #require(roles.names[0].addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let address = target.address(user: user, password: "hunter2secret")
        let response = try await engine.restore(backup.filename, into: address) { $0.noOwner = true }
        #expect(response.totalRecords == 1)
        #expect(response.warnings.count == 2, "\(response.warnings)")
        #expect(response.warnings.contains { $0.contains("comment") })
        #expect(response.warnings.contains { $0.contains("log_statement") })
        #expect(try target.rows("SELECT id FROM t") == ["1"])
    }

    @Test("All roles that the target lacks are named before anything is changed") func missingRoles() async throws {
        let source = try ServerDatabase(
            "CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE u (id integer); CREATE FUNCTION f() RETURNS int LANGUAGE sql "
                + "AS 'SELECT 1'; SELECT lo_create(4712)")
        let roles = try Roles(6, in: source)
        let (names, quoted) = (roles.names, roles.quoted)
        try source.execute(
            """
            ALTER TABLE t OWNER TO \(quoted[0]); GRANT SELECT ON t TO \(quoted[1]) WITH GRANT OPTION;
            SET ROLE \(quoted[1]); GRANT SELECT ON t TO \(quoted[2]); RESET ROLE;
            ALTER DEFAULT PRIVILEGES FOR ROLE \(quoted[3]) GRANT SELECT ON TABLES TO \(quoted[4]);
            ALTER LARGE OBJECT 4712 OWNER TO \(quoted[4]);
            ALTER TABLE u ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON u TO \(quoted[5]) USING (id = 1);
            """)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let whole = try ServerDatabase()
        try await engine.restore(backup.filename, into: whole.address) { $0.prove = true }
        try ServerDatabase.expectEqual(source, whole)
        try whole.execute(quoted.map { "DROP OWNED BY \($0) CASCADE" }.joined(separator: ";"))
        roles.drop()
        let target = try ServerDatabase()
        let error = await failure { try await engine.restore(backup.filename, into: target.address) }
        #expect(error.code == .target)
        for name in names { #expect(error.message.contains(name), "\(error)") }
        #expect(error.message.contains("--definitions globals"))
        #expect(try target.rows("SELECT count(*) FROM pg_class WHERE relname IN ('t', 'u')") == ["0"])
        // Policies name roles whoever owns the tables.
        let others = await failure {
            try await engine.restore(backup.filename, into: target.address) { $0.noOwner = true }
        }
        #expect(others.message.contains(names[5]) && !others.message.contains(names[0]), "\(others)")
        try target.execute("CREATE ROLE \(quoted[5])")
        try await engine.restore(backup.filename, into: target.address) { $0.noOwner = true }
        #expect(try target.rows("SELECT id FROM t") == ["1"])
        try target.execute("DROP OWNED BY \(quoted[5]) CASCADE; DROP ROLE \(quoted[5])")
    }
}
