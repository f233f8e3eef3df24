import BackupCatalog
import BackupCore
import BackupEngine
import DatabaseSource
import Dispatch
import Foundation
import Testing

@Suite("Backup")
struct BackupTests {
    private static let schema = """
        CREATE TABLE a(id INTEGER PRIMARY KEY, v); INSERT INTO a VALUES(1,'one'),(2,'two');
        CREATE TABLE b(x); INSERT INTO b VALUES(1),(2),(3);
        CREATE VIRTUAL TABLE f USING fts5(body); INSERT INTO f VALUES('needle in hay'),('hay');
        """

    private func bench() throws -> (Bench, String) {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(BackupTests.schema)
        return (bench, source)
    }

    private func counts(_ path: String) throws -> [String] {
        let database = try TestDatabase(path)
        return try ["a", "b", "f"].map { try database.first("SELECT count(*) FROM \($0)") }
    }

    @Test("chosen tables only; a virtual table brings its content")
    func included() async throws {
        let (bench, source) = try bench()
        let engine = try await bench.engine()
        let backup = try await engine.backUp(source) { $0.includeTables = ["a", "f"] }
        try await engine.restore(backup.filename, into: bench.file("new.sqlite")) { $0.prove = true }
        #expect(try counts(bench.file("new.sqlite")) == ["2", "0", "2"])
        let hits = try TestDatabase(bench.file("new.sqlite")).rows("SELECT rowid FROM f('needle')")
        #expect(hits == [["1"]])
        let ledger = try await engine.show(BackupReference(backup.filename)).archive.ledger ?? []
        #expect(ledger.first { $0.name == "b" }?.holding == .excluded)
        #expect(ledger.first { $0.name == "a" }?.holding == .stored)
    }

    @Test("all but some tables; a virtual table leaves with its content")
    func excluded() async throws {
        let (bench, source) = try bench()
        let engine = try await bench.engine()
        let backup = try await engine.backUp(source) { $0.excludeTables = ["A", "f"] }
        #expect(backup.recordCount == 3)
        try await engine.restore(backup.filename, into: bench.file("new.sqlite"))
        #expect(try counts(bench.file("new.sqlite")) == ["0", "3", "0"])
    }

    @Test("unknown tables are refused, each by name", arguments: [true, false])
    func unknownTables(_ including: Bool) async throws {
        let (bench, source) = try bench()
        let engine = try await bench.engine()
        let error = await failure {
            _ = try await engine.backUp(source) {
                if including {
                    $0.includeTables = ["a", "nope", "neither"]
                } else {
                    $0.excludeTables = ["nope", "neither"]
                }
            }
        }
        #expect(error.code == .notFound)
        #expect(error.description.contains("\"nope\", \"neither\""))
        #expect(bench.archiveFiles.isEmpty)
        #expect(try await engine.list().map(\.status) == [.failed])
    }

    @Test("tables that a job names are the ones that are backed up")
    func jobTables() async throws {
        let (bench, source) = try bench()
        let engine = try await bench.engine()
        var change = BackupJobChange()
        change.name = "nightly"
        change.source = "sqlite:" + source
        change.includeTables = ["b"]
        let job = try await engine.createJob(change)
        var request = BackupRequest()
        request.job = JobReference("nightly")
        let backup = try await engine.backup(request)
        #expect(backup.recordCount == 3)
        #expect(backup.filename.hasPrefix("backup_\(job.id)_"))
        #expect(try await engine.job(JobReference("nightly")).lastRunAt != nil)
    }

    @Test("records, the default job, and two files for each backup")
    func records() async throws {
        let (bench, source) = try bench()
        let watch = StepWatch()
        let engine = try await bench.engine(observer: watch.observer)
        let backup = try await engine.backUp(source)
        let record = try #require(try await engine.list().first)
        #expect(record.id == backup.backupID && record.filename == backup.filename)
        #expect(record.status == .completed && record.localState == .present && record.verifiedAt == nil)
        #expect(record.sha256 == backup.sha256 && record.fileSize == backup.fileSize)
        #expect(record.completedAt != nil && record.durationSeconds != nil && record.process?.pid == getpid())
        #expect(try await engine.jobs().map(\.name) == ["default"])
        #expect(bench.archiveFiles == [backup.filename, backup.filename + ".manifest.json"])
        let size = try FileManager.default.attributesOfItem(atPath: backup.filePath)[.size] as? Int64
        #expect(size == backup.fileSize)
        #expect(watch.steps.first == .backupRecorded && watch.steps.last == .backupCompleted)
        _ = try await engine.backUp(source)
        #expect(try await engine.jobs().count == 1)
        #expect(try await engine.list().count == 2)
    }

    @Test("a second run of a job ends at once while the first holds the lock")
    func lock() async throws {
        let (bench, source) = try bench()
        let reached = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let watch = StepWatch { step in
            guard step == .snapshotTaken else { return }
            reached.signal()
            #expect(goOn.wait(timeout: .now() + 30) == .success)
        }
        let first = try await bench.engine(observer: watch.observer)
        let second = try await bench.engine()
        async let running = first.backUp(source)
        await waitFor(reached)
        let error = await failure { _ = try await second.backUp(source) }
        #expect(error.code == .locked && error.exitStatus == 5)
        #expect(error.message.contains("process \(getpid())"))
        // Another start while a run is alive leaves it alone.
        let third = try await bench.engine()
        #expect(try await third.list().map(\.status) == [.running])
        goOn.signal()
        #expect(try await running.success)
        #expect(try await second.list().map(\.status) == [.completed])
    }

    private func waitFor(_ semaphore: DispatchSemaphore) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                #expect(semaphore.wait(timeout: .now() + 30) == .success)
                continuation.resume()
            }
        }
    }

    @Test("a damaged page fails the run by table and leaves no file")
    func corruptPage() async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE good(v); INSERT INTO good VALUES(1); CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
                + "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c WHERE x<5000)"
                + "INSERT INTO t SELECT x, hex(randomblob(50)) FROM c")
        var data = try Data(contentsOf: URL(filePath: source))
        data.replaceSubrange(4096 * 40..<4096 * 60, with: Data(repeating: 0xAB, count: 4096 * 20))
        try data.write(to: URL(filePath: source))
        let engine = try await bench.engine()
        let error = await failure { _ = try await engine.backUp(source) }
        #expect(error.code == .source)
        #expect(error.description.contains("table \"t\""))
        #expect(bench.archiveFiles.isEmpty)
        let record = try #require(try await engine.list().first)
        #expect(record.status == .failed && record.localState == .none && record.completedAt != nil)
        #expect(record.errorMessage == error.description)
        #expect(try Data(contentsOf: URL(filePath: source)) == data)
    }

    @Test("what is no database, is not there, or is a directory")
    func noDatabase() async throws {
        let bench = try Bench()
        let engine = try await bench.engine()
        try Data("this is no database at all, but long enough to be looked at".utf8)
            .write(to: URL(filePath: bench.file("text")))
        for (path, code) in [("text", BackupError.Code.source), ("missing", .source), (".", .source)] {
            let error = await failure { _ = try await engine.backUp(bench.file(path)) }
            #expect(error.code == code || error.code == .notFound, "\(path): \(error)")
            #expect(!FileManager.default.fileExists(atPath: bench.file("missing")))
        }
        #expect(bench.archiveFiles.isEmpty)
        #expect(try await engine.list().allSatisfy { $0.status == .failed })
        let error = await failure { _ = try await engine.backup(BackupRequest()) }
        #expect(error.code == .usage)
    }

    @Test("a database that lost all its tables is not backed up; one that never had any is")
    func emptiness() async throws {
        let (bench, source) = try bench()
        let engine = try await bench.engine()
        let empty = bench.file("empty.sqlite")
        try TestDatabase(empty).run("CREATE TABLE t(v); DROP TABLE t")
        #expect(try await engine.backUp(empty).recordCount == 0)
        _ = try await engine.backUp(source)
        // That another database of the job holds tables says nothing of this one.
        #expect(try await engine.backUp(empty).recordCount == 0)
        try FileManager.default.removeItem(atPath: source)
        try TestDatabase(source).run("CREATE TABLE t(v); DROP TABLE t")
        let error = await failure { _ = try await engine.backUp(source) }
        #expect(error.code == .source && error.message.contains("no tables"))
        #expect(try await engine.list().map(\.status) == [.failed, .completed, .completed, .completed])
    }

    @Test("a row above the limit is refused by table and row number")
    func largeRow() async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE files(id INTEGER PRIMARY KEY, content BLOB);"
                + "INSERT INTO files VALUES(1,x'00'),(42,zeroblob(3000000)),(43,x'01')")
        let engine = try await bench.engine { $0.maximumRow = 2_000_000 }
        let error = await failure { _ = try await engine.backUp(source) }
        #expect(error.code == .unsupported)
        #expect(error.description.contains("table \"files\"") && error.description.contains("rowid 42"))
        #expect(error.description.contains("BACKUP_MAX_ROW"))
        #expect(bench.archiveFiles.isEmpty)
        let roomy = try await bench.engine { $0.maximumRow = 3_100_000 }
        #expect(try await roomy.backUp(source).recordCount == 3)
    }

    @Test("a catalog inside the database: secrets are left out, its tables are not restored over")
    func catalogInside() async throws {
        let bench = try Bench()
        let source = bench.file("app.sqlite")
        try TestDatabase(source).run("CREATE TABLE app(id INTEGER PRIMARY KEY, v); INSERT INTO app VALUES(1,'x')")
        var configuration = EngineConfiguration(backupDirectory: bench.backups)
        configuration.catalogURL = .sqlite(path: source)
        _ = try await BackupEngine.migrateCatalog(configuration: configuration)
        let engine = try await bench.engine { $0.catalogURL = .sqlite(path: source) }
        _ = try await engine.backUp(source)
        try TestDatabase(source).run("UPDATE backup_jobs SET s3_access_key='AKIA', s3_secret_key='hush hush'")
        let backup = try await engine.backUp(source)
        let text = try Comparison.unzipped(backup.filePath)
        #expect(!text.contains("hush hush") && !text.contains("AKIA"))
        #expect(text.contains("\"s3_secret_key\":null"))

        try TestDatabase(source).run("UPDATE app SET v='changed'")
        let jobs = try TestDatabase(source).rows("SELECT * FROM backup_jobs")
        let records = try TestDatabase(source).rows("SELECT * FROM backups")
        let response = try await engine.restore(backup.filename, into: source) { $0.clearExisting = true }
        #expect(try TestDatabase(source).first("SELECT v FROM app") == "x")
        #expect(try TestDatabase(source).rows("SELECT * FROM backup_jobs") == jobs)
        #expect(try TestDatabase(source).rows("SELECT * FROM backups") == records)
        #expect(response.warnings.contains { $0.contains("holds the catalog of backups") })
    }
}
