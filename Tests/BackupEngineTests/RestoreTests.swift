import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("Restore")
struct RestoreTests {
    private static let schema = """
        CREATE TABLE parents(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, best INT REFERENCES children(id));
        CREATE TABLE children(id INTEGER PRIMARY KEY, parent INT REFERENCES parents(id) ON DELETE CASCADE, v);
        CREATE TABLE loose(x, y TEXT DEFAULT 'y', z AS (x || y));
        """
    private static let rows = """
        INSERT INTO parents VALUES(1,'Ann',10),(2,'Bo',NULL),(5,'Cy',12);
        INSERT INTO children VALUES(10,1,'a'),(11,1,'b'),(12,5,NULL);
        INSERT INTO loose(rowid,x) VALUES(3,'p'),(9,'q');
        """

    private struct Scene {
        var bench: Bench
        var engine: BackupEngine
        var source: String
        var backup: BackupResponse
        var new: String { bench.file("new.sqlite") }
        var old: String { bench.file("old.sqlite") }
    }

    private func scene(_ sql: String = schema + rows) async throws -> Scene {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(sql)
        let engine = try await bench.engine()
        return Scene(bench: bench, engine: engine, source: source, backup: try await engine.backUp(source))
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    // MARK: Which backup

    @Test("by id, by name, by path")
    func references() async throws {
        let scene = try await scene()
        for (index, reference) in [
            String(scene.backup.backupID), scene.backup.filename, scene.backup.filePath,
        ].enumerated() {
            let path = scene.bench.file("new\(index)")
            let response = try await scene.engine.restore(reference, into: path) { $0.prove = true }
            #expect(response.backupID == scene.backup.backupID)
            #expect(response.restoredCounts["parents"] == 3 && response.restoredCounts["loose"] == 2)
            try Comparison.expectEqual(scene.source, path, in: scene.bench)
        }
        // A copy that the catalog does not know.
        let copy = scene.bench.file("copy.json.gz")
        try FileManager.default.copyItem(atPath: scene.backup.filePath, toPath: copy)
        #expect(try await scene.engine.restore(copy, into: scene.new).backupID == nil)
    }

    @Test("one that is not there")
    func missing() async throws {
        let scene = try await scene()
        for reference in ["77", "backup_1_20000101_000000.json.gz", "/nowhere/x.json.gz", ""] {
            let error = await failure { try await scene.engine.restore(reference, into: scene.new) }
            #expect(error.code == .notFound, "\(reference): \(error)")
        }
        try FileManager.default.removeItem(atPath: scene.backup.filePath)
        let error = await failure { try await scene.engine.restore("1", into: scene.new) }
        #expect(error.code == .notFound && error.message.contains(scene.backup.filePath))
        #expect(scene.bench.files == ["source.sqlite"])
    }

    @Test("another archive in the place of the recorded one is refused", arguments: [nil, ["loose"]])
    func exchanged(_ tables: [String]?) async throws {
        let scene = try await scene()
        try TestDatabase(scene.source).run("INSERT INTO loose(x) VALUES('more')")
        let other = try await scene.engine.backUp(scene.source)
        for suffix in ["", ".manifest.json"] {
            try FileManager.default.removeItem(atPath: scene.backup.filePath + suffix)
            try FileManager.default.copyItem(atPath: other.filePath + suffix, toPath: scene.backup.filePath + suffix)
        }
        let error = await failure { try await scene.engine.restore("1", into: scene.new) { $0.tables = tables } }
        #expect(error.code == .damaged && error.exitStatus == 4, "\(error)")
        #expect(scene.bench.files == ["source.sqlite"])
        let verified = try await scene.engine.verify([BackupReference("1")])
        #expect(!verified.ok)
        #expect(try await scene.engine.list().first { $0.id == 1 }?.localState == .damaged)
    }

    @Test("damage leaves no new file and an existing one as it is")
    func damaged() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(RestoreTests.schema)
        let before = try bytes(scene.old)
        for path in [scene.backup.filePath, scene.backup.filePath + ".manifest.json"] {
            let good = try bytes(path)
            for place in stride(from: 0, to: good.count, by: max(1, good.count / 40)) {
                var bad = good
                bad[place] ^= 0x10
                try bad.write(to: URL(filePath: path))
                for target in [scene.new, scene.old] {
                    let error = await failure { try await scene.engine.restore("1", into: target) }
                    #expect(error.code == .damaged || error.code == .unsupported, "\(path) byte \(place): \(error)")
                }
            }
            try good.write(to: URL(filePath: path))
        }
        #expect(scene.bench.files == ["old.sqlite", "source.sqlite"])
        #expect(try bytes(scene.old) == before)
        try await scene.engine.restore("1", into: scene.old) { $0.prove = true }
    }

    // MARK: Into what

    @Test("what cannot be a target")
    func badTargets() async throws {
        let scene = try await scene()
        let text = scene.bench.file("text")
        try Data(repeating: 0x61, count: 5000).write(to: URL(filePath: text))
        let empty = scene.bench.file("empty")
        try Data().write(to: URL(filePath: empty))
        for path in [text, scene.bench.directory, scene.bench.file("no/such/place.sqlite"), empty, "/proc/new.sqlite"] {
            let error = await failure { try await scene.engine.restore("1", into: path) }
            #expect(error.exitStatus == 1, "\(path): \(error)")
            #expect(
                error.description.contains(path) || error.description.contains("/no/such") || path.hasPrefix("/proc"))
        }
        #expect(try bytes(text) == Data(repeating: 0x61, count: 5000))
        #expect(try bytes(empty).isEmpty)
        #expect(scene.bench.files == ["empty", "source.sqlite", "text"])
    }

    @Test("a matching database without rows takes them all")
    func matching() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(RestoreTests.schema)
        let response = try await scene.engine.restore("1", into: scene.old) {
            $0.prove = true
            $0.dataOnly = true
        }
        #expect(response.proven && response.totalRecords == scene.backup.recordCount)
        try Comparison.expectEqual(scene.source, scene.old, in: scene.bench)
    }

    @Test("missing tables and columns are all named, and nothing is changed")
    func missingTables() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(
            "CREATE TABLE loose(x); CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT)")
        let before = try bytes(scene.old)
        let error = await failure { try await scene.engine.restore("1", into: scene.old) }
        #expect(error.code == .target)
        for word in ["\"children\"", "\"y\"", "\"best\""] { #expect(error.message.contains(word), "\(error)") }
        #expect(try bytes(scene.old) == before)
    }

    @Test("rows that are there are kept unless told otherwise")
    func occupied() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(RestoreTests.schema + "INSERT INTO loose(x) VALUES('mine')")
        let before = try bytes(scene.old)
        let error = await failure { try await scene.engine.restore("1", into: scene.old) }
        #expect(error.code == .target && error.message.contains("--clear-existing"))
        #expect(try bytes(scene.old) == before)
        try await scene.engine.restore("1", into: scene.old) {
            $0.clearExisting = true
            $0.prove = true
        }
        try Comparison.expectEqual(scene.source, scene.old, in: scene.bench)
    }

    @Test("a dry run does everything and leaves the file as it was")
    func dryRun() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(RestoreTests.schema + RestoreTests.rows + "DELETE FROM loose")
        let before = try bytes(scene.old)
        let response = try await scene.engine.restore("1", into: scene.old) {
            $0.dryRun = true
            $0.clearExisting = true
            $0.prove = true
        }
        #expect(response.dryRun && response.proven && response.restoredCounts["children"] == 3)
        #expect(try bytes(scene.old) == before)
        let new = try await scene.engine.restore("1", into: scene.new) { $0.dryRun = true }
        #expect(new.restoredTables == response.restoredTables)
        #expect(scene.bench.files == ["old.sqlite", "source.sqlite"])
        // It fails where the restore would.
        let error = await failure { try await scene.engine.restore("1", into: scene.old) { $0.dryRun = true } }
        #expect(error.code == .target)
        #expect(try bytes(scene.old) == before)
    }

    @Test("clearing one table that others hang on is refused")
    func cascade() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(RestoreTests.schema + RestoreTests.rows)
        let before = try bytes(scene.old)
        let error = await failure {
            try await scene.engine.restore("1", into: scene.old) {
                $0.clearExisting = true
                $0.tables = ["parents"]
            }
        }
        #expect(error.code == .target && error.message.contains("\"children\"") && error.message.contains("CASCADE"))
        #expect(try bytes(scene.old) == before)
        try await scene.engine.restore("1", into: scene.old) {
            $0.clearExisting = true
            $0.tables = ["loose"]
        }
        #expect(try TestDatabase(scene.old).first("SELECT count(*) FROM children") == "3")
    }

    @Test("new ids: rows come beside those that are there, references in cycles follow")
    func regeneratedIDs() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(RestoreTests.schema + RestoreTests.rows)
        try await scene.engine.restore("1", into: scene.old) { $0.regenerateIDs = true }
        let database = try TestDatabase(scene.old)
        #expect(try database.first("SELECT count(*) FROM parents") == "6")
        #expect(try database.rows("PRAGMA foreign_key_check").isEmpty)
        let pairs = "SELECT p.name, c.v FROM parents p JOIN children c ON c.parent=p.id ORDER BY p.id, c.id"
        let (expected, found) = (try TestDatabase(scene.source).rows(pairs), try database.rows(pairs))
        #expect(found == expected + expected)
        let best = "SELECT p.name, c.v, c.id - p.id FROM parents p LEFT JOIN children c ON c.id=p.best ORDER BY p.id"
        #expect(
            try database.rows(best).map { $0.prefix(2) }
                == (try database.rows(best).prefix(3) + database.rows(best).suffix(3)).map { $0.prefix(2) })
        #expect(try database.first("SELECT count(*) FROM parents p JOIN children c ON c.id=p.best") == "4")
        #expect(try database.first("SELECT seq >= (SELECT max(id) FROM parents) FROM sqlite_sequence") == "1")
    }

    @Test("a failing row names its table, and nothing is changed")
    func constraint() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(
            RestoreTests.schema + "CREATE UNIQUE INDEX one_child ON children(parent);")
        let before = try bytes(scene.old)
        let error = await failure { try await scene.engine.restore("1", into: scene.old) }
        #expect(error.code == .target && error.description.contains("children"), "\(error)")
        #expect(try bytes(scene.old) == before)
    }

    @Test("triggers of the target do not fire")
    func triggers() async throws {
        let scene = try await scene()
        try TestDatabase(scene.old).run(
            RestoreTests.schema
                + "CREATE TABLE log(v); CREATE TRIGGER fired AFTER INSERT ON loose BEGIN INSERT INTO log VALUES(1); END"
        )
        try await scene.engine.restore("1", into: scene.old)
        #expect(try TestDatabase(scene.old).first("SELECT count(*) FROM log") == "0")
        try TestDatabase(scene.old).run("INSERT INTO loose(x) VALUES(1)")
        #expect(try TestDatabase(scene.old).first("SELECT count(*) FROM log") == "1")
    }

    @Test("chosen tables only, a full-text table among them")
    func chosenTables() async throws {
        let scene = try await scene(
            RestoreTests.schema + RestoreTests.rows
                + "CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES('find me'),('not this');"
                + "CREATE INDEX loose_x ON loose(x); CREATE VIEW v AS SELECT * FROM parents;")
        try await scene.engine.restore("1", into: scene.new) {
            $0.tables = ["loose", "notes"]
            $0.prove = true
        }
        let database = try TestDatabase(scene.new)
        #expect(try database.rows("SELECT rowid, x FROM loose") == [["3", "p"], ["9", "q"]])
        #expect(try database.rows("SELECT rowid FROM notes('find')") == [["1"]])
        let objects = "SELECT name FROM sqlite_schema WHERE name IN ('parents','children','v','loose_x')"
        #expect(try database.rows(objects) == [["loose_x"]])

        let error = await failure {
            try await scene.engine.restore("1", into: scene.old) { $0.tables = ["loose", "nope"] }
        }
        #expect(error.code == .notFound && error.message.contains("\"nope\""))
        #expect(!FileManager.default.fileExists(atPath: scene.old))
    }

    @Test("data only, into a file that is not there, is refused")
    func dataOnly() async throws {
        let scene = try await scene()
        let error = await failure { try await scene.engine.restore("1", into: scene.new) { $0.dataOnly = true } }
        #expect(error.code == .target && error.message.contains("--data-only"))
    }

    // MARK: What Elder wrote

    @Test("an archive in Elder's form goes into a schema like Elder's")
    func elder() async throws {
        let scene = try await scene()
        let text = """
            {"summary": {"total_records": 3}, "tables": {
              "entities": [{"name": "Core \\"switch\\" é", "id": 7, "attributes": {"tags": ["a", 1.50]}, "active": true,
                            "letter": false, "cost": "12.50", "extra": null}, {"id": 9, "name": null}],
              "organizations": [{"id": 1, "name": "Acme"}]},
             "version": "1.2.0", "timestamp": "2025-10-29T15:00:00.123456+00:00", "job_id": 3, "job_name": "nightly"}
            """
        let plain = scene.bench.file("backup_3_20251029_150000.json")
        try Data(text.utf8).write(to: URL(filePath: plain))
        let process = try Process.run(URL(filePath: "/usr/bin/env"), arguments: ["gzip", plain])
        process.waitUntilExit()
        try TestDatabase(scene.old).run(
            "CREATE TABLE organizations(id INTEGER PRIMARY KEY, name VARCHAR(255));"
                + "CREATE TABLE entities(id INTEGER PRIMARY KEY, name TEXT, attributes JSON, active BOOLEAN,"
                + "letter CHAR(1), cost DECIMAL(10,2), extra TEXT, note TEXT DEFAULT 'none')")
        let response = try await scene.engine.restore(plain + ".gz", into: scene.old)
        #expect(response.restoredCounts == ["entities": 2, "organizations": 1])
        #expect(
            try TestDatabase(scene.old).rows("SELECT id,name,attributes,active,letter,cost,extra,note FROM entities")
                == [
                    ["7", "Core \"switch\" é", "{\"tags\":[\"a\",1.50]}", "1", "F", "12.5", "NULL", "none"],
                    ["9", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "none"],
                ])
        let error = await failure { try await scene.engine.restore(plain + ".gz", into: scene.new) }
        #expect(error.code == .target && error.message.contains("schema"))
        let proof = await failure {
            try await scene.engine.restore(plain + ".gz", into: scene.old) {
                $0.prove = true
                $0.clearExisting = true
            }
        }
        #expect(proof.code == .usage)
    }
}
