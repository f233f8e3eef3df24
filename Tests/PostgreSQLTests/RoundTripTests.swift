import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("PostgreSQL, there and back", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct RoundTripTests {
    static let torture: String = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Support/Torture.sql")
        return (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    }()

    @Test("Every type and every kind of object comes back equal") func torture() async throws {
        let (source, target) = (try ServerDatabase(Self.torture), try ServerDatabase())
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        #expect(try await engine.verify([BackupReference(backup.filename)]).ok)
        let response = try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
        #expect(response.totalRecords == backup.recordCount)
        try ServerDatabase.expectEqual(source, target)
        let sequences =
            "SELECT last_value, is_called FROM empty_table_id_seq UNION ALL SELECT last_value, is_called "
            + "FROM used UNION ALL SELECT last_value, is_called FROM unused UNION ALL SELECT last_value, is_called "
            + "FROM at_end"
        #expect(try target.rows(sequences) == ["41|f", "-9|t", "90|f", "3|t"])
        #expect(try target.rows("SELECT n FROM a_second") == ["101"])
        #expect(
            try target.rows("SELECT length(lo_get(70001)), length(lo_get(70002)), length(lo_get(70003))")
                == ["600000|0|600001"])
    }

    @Test("A second restore, data only, replaces what is there") func dataOnly() async throws {
        let source = try ServerDatabase(Self.torture)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        let before = try source.dump()
        let refused = await failure { try await engine.restore(backup.filename, into: source.address) }
        #expect(refused.code == .target)
        #expect(refused.message.contains("holds rows already"))
        #expect(try source.dump() == before)
        try source.execute("DELETE FROM refers; UPDATE every_type SET t = 'changed'; SELECT nextval('used')")
        let response = try await engine.restore(backup.filename, into: source.address) {
            $0.clearExisting = true
            $0.prove = true
        }
        #expect(response.totalRecords == backup.recordCount)
        #expect(try source.dump() == before)
        try source.execute("UPDATE every_type SET t = 'changed'; SELECT nextval('used')")
        let changed = try source.dump()
        try await engine.restore(backup.filename, into: source.address) {
            $0.clearExisting = true
            $0.dryRun = true
        }
        #expect(try source.dump() == changed)
    }

    @Test("The Chinook sample database comes back equal") func chinook() async throws {
        let (source, target) = (try ServerDatabase(try Chinook.script()), try ServerDatabase())
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        #expect(backup.recordCount == 15607)
        try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
        try ServerDatabase.expectEqual(source, target)
    }

    @Test("Some tables: a partitioned one stands for its partitions") func someTables() async throws {
        let (source, target) = (try ServerDatabase(Self.torture), try ServerDatabase())
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let backup = try await engine.backUp(source.address) {
            $0.includeTables = ["measure", "other.every_type", "tree"]
        }
        #expect(backup.recordCount == 100 + 1 + 3)
        #expect(try bench.rows(of: "\"other\".\"every_type\"", in: backup.filePath).count == 1)
        let error = await failure { _ = try await engine.backUp(source.address) { $0.includeTables = ["tre"] } }
        #expect(error.code == .notFound)
        #expect(error.message.contains("\"tre\""))
        let all = try await engine.backUp(source.address)
        try await engine.restore(all.filename, into: target.address) { $0.tables = ["tree", "watched"] }
        #expect(try target.rows("SELECT (SELECT count(*) FROM tree), (SELECT count(*) FROM every_type)") == ["3|0"])
    }

    @Test("What Elder wrote goes into tables that are there, and counters move on") func plainForm() async throws {
        let target = try ServerDatabase(
            """
            CREATE TABLE t (id serial PRIMARY KEY, b boolean, n numeric, r float8, s text, j jsonb, by bytea, ts timestamp);
            """)
        let bench = try BackupBench()
        let engine = try await bench.engine()
        let path = bench.directory + "/elder.json"
        let text = """
            {"version": "1.2.0", "timestamp": "x", "job_id": 1, "job_name": "n", "tables": {"t": [
              {"id": 7, "b": true, "n": 1.5, "r": NaN, "s": "a\\n\\u00e9\\ud83d\\ude00", "j": {"k": [1, 2]}, "by": null,
               "ts": "2025-10-29 15:00:00.123456"},
              {"ts": null, "b": false, "n": "2.50", "r": -Infinity, "s": "", "j": null, "by": "AP8=", "id": 8}
            ]}}
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let response = try await engine.restore(path, into: target.address)
        #expect(response.totalRecords == 2)
        #expect(
            try target.rows("SELECT id, b, n, r, encode(s::bytea, 'hex'), j, by, ts FROM t ORDER BY id") == [
                #"7|t|1.5|NaN|610ac3a9f09f9880|{"k": [1, 2]}||2025-10-29 15:00:00.123456"#,
                #"8|f|2.50|-Infinity|||\x00ff|"#,
            ])
        #expect(try target.rows("SELECT nextval('t_id_seq')") == ["9"])
        let before = try target.dump("--data-only")
        let wrong = text.replacingOccurrences(of: "\"b\": false", with: "\"bb\": false")
        try wrong.write(toFile: path, atomically: true, encoding: .utf8)
        let error = await failure { try await engine.restore(path, into: target.address) { $0.clearExisting = true } }
        #expect(error.code == .target)
        #expect(error.message.contains("\"bb\""))
        #expect(try target.dump("--data-only") == before)
    }

    @Test("A database without an encoding keeps its bytes") func noEncoding() async throws {
        let server = try TestServer.address()
        let names = ["eb_ascii_a", "eb_ascii_b"].map { String($0) + UUID().uuidString.prefix(8).lowercased() }
        for name in names {
            try TestServer.run(
                "psql",
                ["-qX", "-d", server, "-c", "CREATE DATABASE \(name) TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"])
        }
        defer {
            for name in names { _ = try? TestServer.run("psql", ["-qX", "-d", server, "-c", "DROP DATABASE \(name)"]) }
        }
        let addresses = names.map { String(server.dropLast("postgres".count)) + $0 }
        try TestServer.run(
            "psql", ["-qX", "-d", addresses[0], "-c", #"CREATE TABLE t AS SELECT 1 AS id, E'a\xff\xfe\n' AS t"#])
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(addresses[0])
        try await engine.restore(backup.filename, into: addresses[1]) { $0.prove = true }
        let bytes = try TestServer.run(
            "psql", ["-qXAt", "-d", addresses[1], "-c", "SELECT encode(t::bytea, 'hex') FROM t"])
        #expect(bytes == "61fffe0a\n")
    }
}
