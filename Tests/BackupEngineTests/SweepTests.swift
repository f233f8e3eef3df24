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

    /// Puts a part of the archive where a run would have it, in place of the whole one; its path.
    private func leavePart(_ scene: Scene) throws -> String {
        try FileManager.default.removeItem(atPath: scene.backup.filePath)
        try FileManager.default.removeItem(atPath: scene.backup.filePath + ".manifest.json")
        let stem = scene.backup.filename.dropLast(".json.gz".count)
        let path = scene.bench.backups + "/.\(stem).\(scene.installation.prefix(8))-1.partial"
        try touch(path)
        return path
    }

    private func uuid(_ scene: Scene) throws -> String {
        try scene.database.first("SELECT uuid FROM backup_jobs WHERE id=1")
    }

    @Test(
        "a run of another host, or another container, is left alone while it holds its job's lock",
        arguments: [true, false])
    func elsewhere(isOtherHost: Bool) async throws {
        let scene = try await scene()
        try kill(scene)
        if isOtherHost { try scene.database.run("UPDATE backups SET process_host='elsewhere.invalid'") }
        let part = try leavePart(scene)
        let lock = try JobLock.acquire(directory: scene.bench.backups, jobUUID: uuid(scene))
        #expect(try await scene.bench.engine().list().map(\.status) == [.running])
        let error = await failure { _ = try await scene.bench.engine().delete(BackupReference("1")) }
        #expect(error.code == .locked)
        #expect(FileManager.default.fileExists(atPath: part))
        _ = consume lock
    }

    @Test("a run whose job's lock is free is over, whichever host it was on, and whatever runs under its number")
    func recreatedContainer() async throws {
        let scene = try await scene()
        try kill(scene)
        let mine = ProcessIdentity.current()
        try scene.database.run(
            "UPDATE backups SET process_host='elsewhere.invalid', process_pid=\(mine.pid), "
                + "process_start='\(mine.start)'"
        )
        let part = try leavePart(scene)
        let engine = try await scene.bench.engine()
        #expect(try await engine.list().map(\.status) == [.failed])
        #expect(!FileManager.default.fileExists(atPath: part))
        #expect(try await engine.delete(BackupReference("1")).id == 1)
    }

    @Test("a run in another backup directory holds its lock there")
    func otherDirectory() async throws {
        let scene = try await scene()
        try kill(scene)
        let other = scene.bench.file("others")
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        try scene.database.run("UPDATE backups SET file_path='\(other)/\(scene.backup.filename)'")
        let lock = try JobLock.acquire(directory: other, jobUUID: uuid(scene))
        #expect(try await scene.bench.engine().list().map(\.status) == [.running])
        // The next run of the job here does not hold that lock.
        let source = scene.bench.file("source.sqlite")
        #expect(try await scene.bench.engine().backUp(source).success)
        #expect(try await scene.bench.engine().record(1).status == .running)
        _ = consume lock
        #expect(try await scene.bench.engine().record(1).status == .failed)
    }

    @Test("a run of a job that is gone is over")
    func deletedJob() async throws {
        let scene = try await scene()
        try kill(scene)
        _ = try leavePart(scene)
        try scene.database.run("DELETE FROM backup_jobs")
        #expect(try await scene.bench.engine().list().map(\.status) == [.failed])
    }

    @Test("the next run of a job closes what earlier ones left, in a process that has long begun")
    func nextRun() async throws {
        let scene = try await scene()
        let engine = try await scene.bench.engine()
        try kill(scene)
        #expect(try await engine.backUp(scene.bench.file("source.sqlite")).success)
        // Its archive was complete.
        #expect(try await engine.list().map(\.status) == [.completed, .completed])
    }

    @Test("a service that goes on closes them too")
    func living() async throws {
        let scene = try await scene()
        let engine = try await scene.bench.engine()
        try kill(scene)
        _ = try leavePart(scene)
        try await engine.sweep()
        #expect(try await engine.list().map(\.status) == [.failed])
    }

    @Test("orders to what does not run go; those to what runs stay")
    func orders() async throws {
        let scene = try await scene()
        try kill(scene)
        let lock = try JobLock.acquire(directory: scene.bench.backups, jobUUID: uuid(scene))
        let engine = try await scene.bench.engine()
        _ = try await engine.cancel(BackupReference("1"), by: "ada")
        let locks = scene.bench.backups + "/.locks"
        func orders() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: locks).filter { $0.hasSuffix(".cancel") }.sorted()
        }
        let given = try #require(try orders().first)
        let stale = given.replacing("-1-", with: "-2-")
        let foreign = given.replacing(scene.installation.prefix(8), with: "01234567")
        for name in [stale, foreign] { try touch(locks + "/" + name) }
        _ = try await scene.bench.engine()
        #expect(try orders() == [given, foreign].sorted())
        _ = consume lock
        _ = try await scene.bench.engine()
        #expect(try orders() == [foreign])
    }
}
