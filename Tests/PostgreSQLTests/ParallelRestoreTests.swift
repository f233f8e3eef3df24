import BackupCore
import BackupEngine
import DatabaseSource
import Foundation
import Testing

@Suite("PostgreSQL over several connections", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct ParallelRestoreTests {
    /// Databases of restores into one target.
    private func scratchDatabases(_ database: ServerDatabase) throws -> [String] {
        try database.rows(
            "SELECT datname FROM pg_database WHERE datname LIKE 'elder_backup_%' "
                + "AND coalesce(shobj_description(oid, 'pg_database'), '') LIKE '%\(database.name)%'")
    }

    @Test("Every type and every kind of object comes back equal", arguments: [2, 3]) func torture(_ jobs: Int)
        async throws
    {
        let (source, target) = (try ServerDatabase(RoundTripTests.torture), try ServerDatabase())
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let response = try await engine.restore(backup.filename, into: target.address) {
            $0.jobs = jobs
            $0.prove = true
        }
        #expect(response.totalRecords == backup.recordCount)
        #expect(response.warnings == [])
        #expect(try target.dump("--schema-only") == source.dump("--schema-only"))
        // Rows of a table may come in another order.
        let lines = try [target, source].map { try $0.dump("--data-only").split(separator: "\n").sorted() }
        #expect(lines[0] == lines[1])
        #expect(
            try target.rows("SELECT length(lo_get(70001)), length(lo_get(70002)), length(lo_get(70003))")
                == ["600000|0|600001"])
        #expect(try scratchDatabases(target) == [])
    }

    @Test("The rows of a large table are spread and complete") func spread() async throws {
        let source = try ServerDatabase(
            """
            CREATE TABLE large (id integer PRIMARY KEY, t text);
            INSERT INTO large SELECT n, repeat(md5(n::text), 4) FROM generate_series(1, 100000) n;
            CREATE TABLE small (id integer REFERENCES large);
            INSERT INTO small SELECT generate_series(1, 1000);
            CREATE INDEX ON large (t); CREATE INDEX ON small (id);
            """)
        let target = try ServerDatabase()
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        try await engine.restore(backup.filename, into: target.address) {
            $0.jobs = 4
            $0.prove = true
        }
        let query = "SELECT count(*), sum(id), md5(string_agg(t, '' ORDER BY id)) FROM large"
        #expect(try target.rows(query) == source.rows(query))
        #expect(try target.dump("--schema-only") == source.dump("--schema-only"))
    }

    @Test("The database keeps its owner, grants, settings, limit and comment") func properties() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let target = try ServerDatabase()
        let (owner, reader) = ("own\(target.name.suffix(12))", "rea\(target.name.suffix(12))")
        try target.execute(
            """
            CREATE ROLE \(owner); CREATE ROLE \(reader);
            ALTER DATABASE \(target.name) OWNER TO \(owner);
            REVOKE CONNECT ON DATABASE \(target.name) FROM PUBLIC;
            GRANT CONNECT, CREATE ON DATABASE \(target.name) TO \(reader) WITH GRANT OPTION;
            SET ROLE \(reader); GRANT CONNECT ON DATABASE \(target.name) TO pg_monitor; RESET ROLE;
            ALTER DATABASE \(target.name) CONNECTION LIMIT 33;
            ALTER DATABASE \(target.name) SET search_path TO "$user", public, "a ""b, c";
            ALTER DATABASE \(target.name) SET default_transaction_read_only TO on;
            ALTER DATABASE \(target.name) SET "app.tenant" TO 'it''s "one"';
            ALTER ROLE \(reader) IN DATABASE \(target.name) SET work_mem TO '7MB';
            COMMENT ON DATABASE \(target.name) IS 'it''s mine';
            """)
        defer {
            let reset =
                "SET default_transaction_read_only = off; ALTER DATABASE \(target.name) OWNER TO CURRENT_USER; "
                + "DROP OWNED BY \(reader), \(owner) CASCADE; DROP ROLE \(reader), \(owner)"
            try? target.execute(reset)
        }
        let query = """
            SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(d.oid, 'pg_database'),
                pg_encoding_to_char(encoding), datcollate, dattablespace,
                (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(datacl) a),
                (SELECT string_agg(setrole || ':' || setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting
                    WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = current_database()
            """
        let before = try target.rows(query)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        try await engine.restore(backup.filename, into: target.address) { $0.jobs = 2 }
        #expect(try target.rows(query) == before)
        #expect(try target.rows("SELECT id FROM t") == ["1"])
    }

    @Test("Whoever is connected to the target is named, and stays connected") func sessions() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let target = try ServerDatabase()
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        // Held by the server until it is ended from outside.
        let waiter = try TestServer.start(
            "psql", ["-qX", "-d", target.address],
            input: "SET application_name = 'the-other-one'; SELECT pg_sleep(600);")
        let sessions = "FROM pg_stat_activity WHERE datname = '\(target.name)' AND application_name = 'the-other-one'"
        while try source.rows("SELECT 1 \(sessions)").isEmpty {}
        let error = await failure { try await engine.restore(backup.filename, into: target.address) { $0.jobs = 2 } }
        #expect(error.code == .target)
        #expect(error.message.contains("the-other-one") && error.message.contains("leave out --jobs"), "\(error)")
        #expect(try scratchDatabases(target) == [])
        #expect(try source.rows("SELECT pg_terminate_backend(pid) \(sessions)") == ["t"])
        _ = try waiter()
    }

    @Test("A role that may not make databases is told so, and restores with one connection") func rights() async throws
    {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let target = try ServerDatabase()
        let role = "r\(target.name.suffix(16))"
        try target.execute(
            "CREATE ROLE \(role) LOGIN PASSWORD 'hunter2'; ALTER DATABASE \(target.name) OWNER TO \(role)")
        defer {
            try? target.execute(
                "ALTER DATABASE \(target.name) OWNER TO CURRENT_USER; DROP OWNED BY \(role); DROP ROLE \(role)")
        }
        let address = target.address(user: role, password: "hunter2")
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let change: (inout RestoreRequest) -> Void = {
            $0.jobs = 2
            $0.noOwner = true
        }
        let error = await failure { try await engine.restore(backup.filename, into: address, change) }
        #expect(error.code == .target)
        #expect(error.message.contains("CREATEDB") && error.message.contains("leave out --jobs"), "\(error)")
        try target.execute("ALTER ROLE \(role) CREATEDB")
        try await engine.restore(backup.filename, into: address, change)
        #expect(try target.rows("SELECT id FROM t") == ["1"])
        #expect(
            try target.rows("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == [
                role
            ])
    }

    @Test("What fails, and a dry run, leave the target empty and nothing behind", arguments: [false, true])
    func nothing(dryRun: Bool) async throws {
        let source = try ServerDatabase(
            """
            CREATE TABLE parent (id integer PRIMARY KEY); INSERT INTO parent VALUES (1);
            CREATE TABLE child (id integer REFERENCES parent); INSERT INTO child VALUES (1);
            """)
        let target = try ServerDatabase()
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        if dryRun {
            let response = try await engine.restore(backup.filename, into: target.address) {
                $0.jobs = 2
                $0.dryRun = true
                $0.prove = true
            }
            #expect(response.totalRecords == 2)
        } else {
            let error = await failure {
                try await engine.restore(backup.filename, into: target.address) {
                    $0.jobs = 2
                    $0.tables = ["child"]
                }
            }
            #expect(error.code == .target)
            #expect(error.message.contains("add it to --tables"), "\(error)")
        }
        #expect(try target.rows("SELECT count(*) FROM pg_class WHERE relname IN ('parent', 'child')") == ["0"])
        #expect(try scratchDatabases(target) == [])
    }

    @Test("A database that somebody changes meanwhile is left as it is") func changed() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let target = try ServerDatabase()
        let bench = try BackupBench()
        let backup = try await bench.engine().backUp(source.address)
        let engine = try await bench.engine(observer: { event in
            guard event == .step(.loadingFinished) else { return }
            try? target.execute("CREATE TABLE somebodys AS SELECT 2 AS id")
        })
        let error = await failure { try await engine.restore(backup.filename, into: target.address) { $0.jobs = 2 } }
        #expect(error.code == .target)
        #expect(error.message.contains("changed"), "\(error)")
        #expect(try target.rows("SELECT id FROM somebodys") == ["2"])
        #expect(try scratchDatabases(target) == [])
    }

    @Test("What a killed restore left is dropped by the next one of the same installation only") func leftovers()
        async throws
    {
        let server = try PrivateServer()
        for name in ["source", "target", "second"] { try server.recreate(name) }
        try server.execute("CREATE TABLE t AS SELECT 1 AS id", in: "source")
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let backup = try await engine.backUp(server.address("source"))
        let manifest = try Data(
            contentsOf: URL(filePath: bench.directory + "/backups/" + backup.filename + ".manifest.json"))
        let generator = (try JSONSerialization.jsonObject(with: manifest) as? [String: Any])?["generator"]
        let installation = try #require((generator as? [String: Any])?["installation"] as? String)
        let mine = PostgreSQLScratchName(.restoring, installation: installation, key: 77).text
        let replaced = PostgreSQLScratchName(.replaced, installation: installation, key: -1).text
        let inUse = PostgreSQLScratchName(.replaced, installation: installation, key: 78).text
        let others = PostgreSQLScratchName(.restoring, installation: "deadbeef-0", key: 77).text
        for name in [mine, replaced, inUse, others, "elder_backup_of_mine"] { try server.recreate(name) }
        try server.execute("CREATE TABLE t AS SELECT 1 AS id", in: mine)
        try server.execute("CREATE TABLE kept AS SELECT 1 AS id", in: inUse)
        let response = try await engine.restore(backup.filename, into: server.address("target"))
        #expect(try server.scratchDatabases() == ["elder_backup_of_mine", inUse, others].sorted())
        #expect(response.warnings.contains { $0.contains(mine) && $0.contains("was dropped") })
        #expect(response.warnings.contains { $0.contains(others) && $0.contains("another installation") })
        #expect(response.warnings.contains { $0.contains(inUse) && $0.contains("holds tables") })
    }

    @Test("Names of scratch databases are read as they are written")
    func names() {
        for key in [Int64.min, -1, 0, 1, .max] {
            let name = PostgreSQLScratchName(.replaced, installation: "12AB34cd-ef", key: key)
            #expect(PostgreSQLScratchName(name.text) == name)
            #expect(name.text.utf8.count <= 63)
            #expect(name.installation == "12ab34cd")
        }
        for other in [
            "elder_backup_restoring_12ab34cd", "elder_backup_restoring_12ab34cd_00", "elder_backup_x", "postgres",
            "elder_backup_restoring_12ab34cg_0000000000000000", "elder_backup_of_12ab34cd_0000000000000000",
        ] { #expect(PostgreSQLScratchName(other) == nil) }
    }

    @Test("A list of names is read with its quotes")
    func nameList() {
        #expect(Array(PostgreSQLNameList(#""$user", public,"a ""b, c" "#)) == ["$user", "public", "a \"b, c"])
        #expect(Array(PostgreSQLNameList("")) == [])
    }

    @Test(
        "What a statement does is known",
        arguments: [
            ("SET default_tablespace = ''", PostgreSQLStatementShape.setting("default_tablespace")),
            ("SELECT pg_catalog.set_config('search_path', '', false)", .setting("search_path")),
            ("CREATE INDEX i ON public.t USING btree (a)", .index(table: "t", isConstraint: false)),
            (
                "CREATE UNIQUE INDEX \"on\" ON ONLY \"S\".\"t\"\"x\" USING btree (a)",
                .index(table: "\"S\".\"t\"\"x\"", isConstraint: false)
            ),
            (
                "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id)",
                .index(table: "t", isConstraint: true)
            ),
            (
                "ALTER TABLE public.t ADD CONSTRAINT \"x y\" EXCLUDE USING gist (r WITH &&)",
                .index(table: "t", isConstraint: true)
            ),
            (
                "ALTER TABLE ONLY a.b ADD CONSTRAINT f FOREIGN KEY (x, \"references\") REFERENCES public.p(id) ON DELETE CASCADE",
                .foreignKey(child: "\"a\".\"b\"", parent: "p")
            ),
            ("ALTER TABLE public.t ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID", .other),
            ("ALTER TABLE public.t CLUSTER ON i", .companion), ("COMMENT ON INDEX public.i IS 'x'", .companion),
            ("ALTER TABLE ONLY public.t REPLICA IDENTITY USING INDEX i", .companion),
            ("ALTER INDEX public.i ALTER COLUMN 1 SET STATISTICS 5", .companion),
            ("ALTER INDEX public.p ATTACH PARTITION public.i", .other),
            ("CREATE TRIGGER x BEFORE INSERT ON public.t EXECUTE FUNCTION public.f()", .other),
            ("COMMENT ON TRIGGER x ON public.t IS 'y'", .other), ("CREATE POLICY p ON public.t", .other),
        ])
    func shapes(_ statement: String, _ shape: PostgreSQLStatementShape) {
        #expect(PostgreSQLStatementShape(statement) == shape)
    }
}
