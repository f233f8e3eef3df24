import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("Imports")
struct ImportTests {
    /// Writes a file beside the databases; gzip compresses it where its name says so.
    private func file(_ name: String, _ text: String, in scene: ExportBench) throws -> String {
        let plain = scene.bench.file(name.hasSuffix(".gz") ? String(name.dropLast(3)) : name)
        try Data(text.utf8).write(to: URL(filePath: plain))
        guard name.hasSuffix(".gz") else { return plain }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-f", plain]
        try process.run()
        process.waitUntilExit()
        return plain + ".gz"
    }

    private static let elders = """
        {
          "version": "1.2.0", "timestamp": "2026-11-23T01:29:03.696718+00:00", "job_id": 1, "job_name": "nightly",
          "tables": {"entities": [{"name": "ada", "id": 1, "data": {"k": 1}, "active": true, "letter": true}],
                     "issues": [{"id": 4, "entity_id": 1, "title": "t"}]}
        }
        """

    @Test("What Elder wrote is imported, gzip or not", arguments: ["a.json", "a.json.gz"])
    func elder(name: String) async throws {
        let scene = try await ExportBench()
        let target = try scene.target()
        let response = try await scene.importFile(try file(name, ImportTests.elders, in: scene), into: target)
        #expect(response.importedCounts == ["entities": 1, "issues": 1] && response.totalRecords == 2)
        let rows = try TestDatabase(target).rows("SELECT id, name, data, active, letter FROM entities")
        #expect(rows == [["1", "ada", #"{"k":1}"#, "1", "T"]])
    }

    @Test("A dry run changes nothing; rows that are there are replaced only where that is asked for")
    func options() async throws {
        let scene = try await ExportBench()
        let target = try scene.target()
        let path = try file("a.json", ImportTests.elders, in: scene)
        let dry = try await scene.importFile(path, into: target) { $0.dryRun = true }
        #expect(dry.dryRun && dry.totalRecords == 2)
        #expect(try TestDatabase(target).first("SELECT count(*) FROM entities") == "0")
        _ = try await scene.importFile(path, into: target)
        #expect(await failure { _ = try await scene.importFile(path, into: target) }.code == .target)
        _ = try await scene.importFile(path, into: target) { $0.clearExisting = true }
        #expect(try TestDatabase(target).first("SELECT count(*) FROM entities") == "1")
        _ = try await scene.importFile(path, into: target) { $0.regenerateIDs = true }
        #expect(try TestDatabase(target).first("SELECT count(*) FROM entities") == "2")
    }

    @Test("A backup of ours is imported, and an export that was laid out anew")
    func others() async throws {
        let scene = try await ExportBench()
        let backup = try await scene.engine.backUp(scene.source)
        let first = try scene.target("first.sqlite")
        _ = try await scene.importFile(backup.filePath, into: first)
        #expect(try TestDatabase(first).first("SELECT count(*) FROM entities") == "5")
        let export = try await scene.export(.json)
        let pretty = scene.bench.file("pretty.json")
        _ = try ExportBench.python(
            "import json,sys; json.dump(json.load(open(sys.argv[1])),open(sys.argv[2],'w'),indent=3,ensure_ascii=True)",
            export.filePath, pretty)
        let second = try scene.target("second.sqlite")
        _ = try await scene.importFile(pretty, into: second)
        let query = "SELECT name, typeof(blob), hex(blob), data FROM entities ORDER BY id"
        // JSON is kept as it is laid out.
        func values(_ path: String) throws -> [[String]] {
            try TestDatabase(path).rows(query).map { row in row.map { $0.filter { !$0.isWhitespace } } }
        }
        #expect(try values(second) == values(scene.source))
    }

    static let bads: [(String, String)] = [
        ("empty.json", ""), ("text.json", "hello"), ("list.json", "[]"), ("none.json", "{}"),
        ("short.json", #"{"version":"1.2.0","tables":{"entities":[{"id":1}"#),
        ("row.json", #"{"version":"1.2.0","tables":{"entities":[{"id":1},{"id":}]}}"#),
        ("error.json", #"{"version":"1.2.0","tables":{"entities":{"error":"boom"}}}"#),
        ("late.json", #"{"version":"1.2.0","tables":{},"export":{"format":1,"source":{},"tables":[]}}"#),
        ("format.json", #"{"version":"1.2.0","export":{"format":1,"tables":[]},"tables":{}}"#),
        ("empty.ndjson", ""), ("blank.ndjson", "\n\n"), ("text.ndjson", "hello\n"),
        ("row.ndjson", #"{"table":"entities"}"#),
        (
            "apart.ndjson",
            "{\"table\":\"entities\",\"row\":{\"id\":1}}\n{\"table\":\"issues\",\"row\":{\"id\":1}}\n"
                + "{\"table\":\"entities\",\"row\":{\"id\":2}}"
        ),
        ("cut.ndjson", "{\"table\":\"entities\",\"row\":{\"id\":1}}\n{\"table\":\"entities\",\"row\":{\"id\""),
        ("more.ndjson", #"{"table":"entities","row":{"id":1},"x":1}"#),
    ]

    @Test("What is no export is refused as the caller's fault, names no path, and changes nothing", arguments: bads)
    func refused(name: String, text: String) async throws {
        let scene = try await ExportBench()
        let target = try scene.target()
        let path = try file(name, text, in: scene)
        let error = await failure { _ = try await scene.importFile(path, into: target) }
        #expect(error.code == .usage && error.location.first == "file", "\(error)")
        #expect(!"\(error)".contains(scene.bench.directory), "\(error)")
        #expect(try TestDatabase(target).first("SELECT count(*) FROM entities") == "0")
        #expect(scene.bench.archiveFiles.isEmpty)
    }

    @Test("A line at fault is told by its number in the file, blank lines counted")
    func lineNumber() async throws {
        let scene = try await ExportBench()
        let target = try scene.target()
        let path = try file("gap.ndjson", "\n{\"table\":\"entities\",\"row\":{\"id\":1}}\n\n\nhello\n", in: scene)
        let error = await failure { _ = try await scene.importFile(path, into: target) }
        #expect(error.code == .usage && error.location == ["file", "line 5"], "\(error)")
    }

    @Test("An import has an entry of its own in the audit log, by the file's name")
    func audit() async throws {
        let scene = try await ExportBench()
        let target = try scene.target()
        _ = try await scene.importFile(try file("a.json", ImportTests.elders, in: scene), into: target)
        let entries = try await scene.engine.auditEntries(before: nil, limit: 10)
        #expect(entries.filter { $0.action == "import" && $0.subject == "a.json" }.map(\.outcome) == ["done", "begun"])
        #expect(!entries.contains { $0.action == "restore" })
    }

    @Test("A gzip file that is cut short changes nothing")
    func truncated() async throws {
        let scene = try await ExportBench()
        let target = try scene.target()
        let whole = try Data(
            contentsOf: URL(filePath: try file("a.json.gz", ImportTests.elders, in: scene)))
        for length in [1, 10, whole.count / 2, whole.count - 4, whole.count - 1] {
            let path = scene.bench.file("cut.json.gz")
            try whole.prefix(length).write(to: URL(filePath: path))
            let error = await failure { _ = try await scene.importFile(path, into: target) }
            #expect(error.code == .usage, "\(length): \(error)")
        }
        #expect(try TestDatabase(target).first("SELECT count(*) FROM entities") == "0")
    }

    @Test("A table or column that the database lacks refuses the whole import")
    func missing() async throws {
        let scene = try await ExportBench()
        let target = try scene.target()
        for text in [
            #"{"version":"1.2.0","tables":{"entities":[{"id":1}],"planets":[{"id":1}]}}"#,
            #"{"version":"1.2.0","tables":{"entities":[{"id":1},{"id":2,"colour":"red"}]}}"#,
            #"{"version":"1.2.0","tables":{"entities":[{"id":1},{"id":1}]}}"#,
        ] {
            let path = try file("a.json", text, in: scene)
            #expect(await failure { _ = try await scene.importFile(path, into: target) }.code == .target, "\(text)")
            #expect(try TestDatabase(target).first("SELECT count(*) FROM entities") == "0")
        }
    }
}
