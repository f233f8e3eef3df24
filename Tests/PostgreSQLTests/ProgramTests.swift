import BackupCore
import BackupEngine
import DatabaseSource
import Foundation
import Testing

@Suite("pg_dump, where it is looked for", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct ProgramTests {
    /// A directory with a pg_dump that says it is of a version, and does what the real one does.
    private func tools(_ bench: BackupBench, _ version: String) throws -> String {
        let directory = bench.directory + "/tools-" + version
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let real = try TestServer.value("ELDER_BACKUP_TEST_POSTGRESQL_TOOLS")
        for name in ["pg_dump", "pg_dumpall"] {
            let script = """
                #!/bin/sh
                if [ "$1" = --version ]; then echo "\(name) (PostgreSQL) \(version)"; exit; fi
                exec "\(real)/\(name)" "$@"
                """
            try script.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory + "/" + name)
        }
        return directory
    }

    @Test("None, or only an older one: rows alone are backed up, and that is said", arguments: [nil, "9.6.24"])
    func none(_ version: String?) async throws {
        let source = try ServerDatabase("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)")
        let bench = try BackupBench()
        let directory = try version.map { try tools(bench, $0) } ?? bench.directory
        let engine = try await bench.engine { $0.programDirectories = [directory] }
        let backup = try await engine.backUp(source.address)
        let warning = try #require(backup.warnings.first)
        #expect(backup.warnings.count == 1 && warning.contains("only rows are backed up"), "\(backup.warnings)")
        if let version { #expect(warning.contains(version)) }
        let ledger = try #require(try await engine.show(BackupReference(backup.filename)).archive.ledger)
        #expect(ledger.contains { $0.name == "t" && $0.holding == .stored && $0.reason?.contains("pg_dump") == true })
        #expect(ledger.contains { $0.name == "t_pkey" && $0.holding == .unsupported })
        #expect(ledger.contains { $0.type == "role" && $0.holding == .unsupported })
        let empty = try ServerDatabase()
        let error = await failure { try await engine.restore(backup.filename, into: empty.address) }
        #expect(error.code == .target && error.message.contains("without pg_dump"), "\(error)")
        let target = try ServerDatabase("CREATE TABLE t (id integer PRIMARY KEY)")
        try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
        #expect(try target.rows("SELECT id FROM t") == ["1"])
    }

    @Test("A newer one will do; the server's own version is preferred") func newer() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let bench = try BackupBench()
        let own = try #require(try source.rows("SHOW server_version").first?.split(separator: " ").first)
        let directories = try ["99.1", "98.2", String(own), "9.6.24"].map { try tools(bench, $0) }
        for (given, expected) in [(directories, String(own)), (Array(directories.prefix(2)), "98.2")] {
            let engine = try await bench.engine { $0.programDirectories = given }
            let backup = try await engine.backUp(source.address)
            #expect(backup.warnings == [])
            #expect(try bench.text(of: backup.filePath).contains("\"pg_dump\":\"\(expected)\""))
            let target = try ServerDatabase()
            try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
            try ServerDatabase.expectEqual(source, target)
        }
    }

    @Test("Without pg_dumpall roles are not held, and that is said") func noDumpall() async throws {
        let source = try ServerDatabase("CREATE TABLE t AS SELECT 1 AS id")
        let bench = try BackupBench()
        let directory = try tools(bench, "98.0")
        try FileManager.default.removeItem(atPath: directory + "/pg_dumpall")
        let engine = try await bench.engine { $0.programDirectories = [directory] }
        let backup = try await engine.backUp(source.address)
        #expect(backup.warnings.count == 1 && backup.warnings.first?.contains("pg_dumpall") == true)
        let error = await failure {
            try await BackupEngine.catDefinitions(path: backup.filePath, part: .globals, to: -1)
        }
        #expect(error.code == .notFound, "\(error)")
    }
}
