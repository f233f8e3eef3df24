import BackupCatalog
import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("The runs of dead processes")
struct SweepTests {
    private struct Scene {
        var bench: Bench
        var backup: BackupResponse
        var database: TestDatabase
        var installation: String
    }

    /// A completed backup, and the means to make it look as if its process had died.
    private func scene() async throws -> Scene {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run("CREATE TABLE t(v); INSERT INTO t VALUES(1),(2)")
        let backup = try await bench.engine().backUp(source)
        let database = try TestDatabase(bench.backups + "/catalog.sqlite")
        let installation = try database.first("SELECT value FROM elder_backup_meta WHERE key='installation_id'")
        return Scene(bench: bench, backup: backup, database: database, installation: installation)
    }

    private func kill(_ scene: Scene) throws {
        // No boot has this id, so no process of it lives.
        try scene.database.run(
            "UPDATE backups SET status='running', process_start='an-earlier-boot 1', sha256=NULL, file_size=0,"
                + "record_count=0, completed_at=NULL, local_state='none'")
    }

    private func touch(_ path: String) throws { try Data("part".utf8).write(to: URL(filePath: path)) }

    @Test("nothing written: the record fails")
    func nothingWritten() async throws {
        let scene = try await scene()
        try kill(scene)
        try scene.bench.archiveFiles.forEach {
            try FileManager.default.removeItem(atPath: scene.bench.backups + "/" + $0)
        }
        let record = try #require(try await scene.bench.engine().list().first)
        #expect(record.status == .failed && record.errorMessage?.contains("died") == true)
        #expect(record.completedAt != nil)
    }

    @Test("a partial file of a dead run goes; those of others stay")
    func partialFiles() async throws {
        let scene = try await scene()
        let stem = scene.backup.filePath.dropLast(".json.gz".count).split(separator: "/").last.map(String.init) ?? ""
        let ours = scene.installation.prefix(8)
        let dead = [".\(stem).\(ours)-\(scene.backup.backupID).partial", ".\(stem).\(ours)-99.partial.manifest.json"]
        let foreign = [".\(stem).01234567-\(scene.backup.backupID).partial", ".something.partial", "backup_notes.txt"]
        for name in dead + foreign { try touch(scene.bench.backups + "/" + name) }
        _ = try await scene.bench.engine()
        let names = Set(scene.bench.archiveFiles)
        #expect(names == Set(foreign + [scene.backup.filename, scene.backup.filename + ".manifest.json"]))
    }

    @Test("an archive without its manifest was not committed: it goes, and the record fails")
    func archiveAlone() async throws {
        let scene = try await scene()
        try kill(scene)
        try FileManager.default.removeItem(atPath: scene.backup.filePath + ".manifest.json")
        let engine = try await scene.bench.engine()
        #expect(try await engine.list().map(\.status) == [.failed])
        #expect(scene.bench.archiveFiles.isEmpty)
    }

    @Test("an archive with its manifest was committed: the record is completed")
    func committed() async throws {
        let scene = try await scene()
        try kill(scene)
        let record = try #require(try await scene.bench.engine().list().first)
        #expect(record.status == .completed && record.localState == .present)
        #expect(record.sha256 == scene.backup.sha256 && record.fileSize == scene.backup.fileSize)
        #expect(record.recordCount == scene.backup.recordCount && record.filename == scene.backup.filename)
        #expect(try await scene.bench.engine().verify([], all: true).ok)
    }

    @Test("a committed archive that was damaged since is kept, and not called good")
    func committedAndDamaged() async throws {
        let scene = try await scene()
        try kill(scene)
        var data = try Data(contentsOf: URL(filePath: scene.backup.filePath))
        data[data.count - 30] ^= 1
        try data.write(to: URL(filePath: scene.backup.filePath))
        #expect(try await scene.bench.engine().list().map(\.status) == [.failed])
        #expect(scene.bench.archiveFiles.count == 2)
    }

    @Test("an archive of that name that another run made is not taken for the dead run's")
    func foreignArchive() async throws {
        let scene = try await scene()
        try kill(scene)
        try scene.database.run("UPDATE backups SET started_at='2020-01-01 00:00:00.000000'")
        #expect(try await scene.bench.engine().list().map(\.status) == [.failed])
        #expect(scene.bench.archiveFiles.count == 2)
    }

    @Test("a run on another host is left alone")
    func otherHost() async throws {
        let scene = try await scene()
        try kill(scene)
        try scene.database.run("UPDATE backups SET process_host='elsewhere.invalid'")
        #expect(try await scene.bench.engine().list().map(\.status) == [.running])
        let error = await failure { _ = try await scene.bench.engine().delete(BackupReference("1")) }
        #expect(error.code == .locked)
    }
}
