import BackupArchive
import BackupCore
import BackupEngine
import DatabaseSource
import Foundation
import Testing

@Suite("Backups of one job that hold different things")
struct ContentTests {
    private let bench: Bench

    init() throws { bench = try Bench() }

    /// A database of two tables, 40 and 2 rows.
    private func database(_ name: String) throws -> String {
        let path = bench.file(name)
        try TestDatabase(path).run(
            """
            CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE organizations(name TEXT);
            INSERT INTO organizations VALUES('a'), ('b');
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
            INSERT INTO users SELECT i, hex(randomblob(20)) FROM n;
            """)
        return path
    }

    private var catalog: TestDatabase { get throws { try TestDatabase(bench.backups + "/catalog.sqlite") } }

    private func job(_ engine: BackupEngine, _ change: (inout BackupJobChange) -> Void) async throws -> BackupJob {
        var wish = BackupJobChange()
        wish.name = "nightly"
        wish.retention.days = 0
        wish.retention.last = 1
        change(&wish)
        return try await engine.createJob(wish)
    }

    private func request(_ change: (inout BackupRequest) -> Void = { _ in }) -> BackupRequest {
        var request = BackupRequest()
        request.job = JobReference("nightly")
        change(&request)
        return request
    }

    @Test("A backup of some tables does not delete the last whole one, and the other way round")
    func part() async throws {
        let source = try database("app.sqlite")
        let engine = try await bench.engine()
        _ = try await job(engine) { $0.source = "sqlite:" + source }
        #expect(try await engine.backup(request()).recordCount == 42)
        let part = request { $0.includeTables = ["organizations"] }
        #expect(try await engine.backup(part).recordCount == 2)
        #expect(try await engine.list().map(\.id) == [2, 1])
        _ = try await engine.backup(part)
        _ = try await engine.backup(request())
        #expect(try await engine.list().map(\.id) == [4, 3])
        let plan = try await engine.prune(job: JobReference("nightly"), dryRun: true)
        #expect(
            plan.backups.map(\.reason) == [
                "newest completed backup", "other tables than the job's: newest completed backup",
            ])
        // What the job itself leaves out is its whole.
        var change = BackupJobChange()
        change.excludeTables = ["users"]
        _ = try await engine.updateJob(JobReference("nightly"), change)
        for _ in 0..<2 { _ = try await engine.backup(request()) }
        #expect(try await engine.list().map(\.id) == [6, 4, 3])
        let scopes = try await engine.list().map(\.content?.scope)
        #expect(Set(scopes).count == 3 && scopes[1] == BackupContent.whole)
    }

    @Test("A backup of another database does not delete the only one of the first")
    func otherDatabase() async throws {
        let engine = try await bench.engine()
        _ = try await engine.backUp(try database("tracker.sqlite"))
        try catalog.run("UPDATE backups SET started_at = datetime('now', '-40 days')")
        let another = try database("another.sqlite")
        for _ in 0..<2 { _ = try await engine.backUp(another) }
        #expect(try await engine.list().map(\.id) == [3, 2, 1])
        #expect(try await engine.prune().deleted == 0)
    }

    @Test("One database is one, however its file is called")
    func identity() async throws {
        let source = try database("app.sqlite")
        let link = bench.file("link.sqlite")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: source)
        let engine = try await bench.engine()
        for path in [source, link, bench.directory + "/./app.sqlite"] { _ = try await engine.backUp(path) }
        _ = try await engine.backUp(try database("b.sqlite"))
        let identities = try await engine.list().map(\.content?.identity)
        #expect(Set(identities.dropFirst()).count == 1 && Set(identities).count == 2)
        #expect(identities.allSatisfy { $0?.count == 32 })
    }

    @Test("A server's database is told by host, port and name, not by who asks for it")
    func servers() throws {
        func place(_ rest: String) -> String? { PostgreSQLAddress(rest: rest[...]).place }
        let one = try #require(place("//db.example.org/app"))
        #expect(one.hasPrefix("db.example.org:") && one.hasSuffix("/app"))
        for same in [
            "//ada:secret@db.example.org/app", "//bob@DB.example.org/a%70p?sslmode=require",
            "//db.example.org/?dbname=app&user=x&password=secret", "///app?host=db.example.org",
        ] { #expect(place(same) == one, "\(same)") }
        for differing in [
            "//db.example.org/apps", "//db2.example.org/app", "//db.example.org:5433/app", "///app", "//db.example.org",
            "//db.example.org/app?service=x",
        ] { #expect(place(differing) != one, "\(differing)") }
        #expect(place("//ada@h") == place("//h/ada"))
        #expect(place("//h/%zz") == nil)
    }

    @Test("Some tables of a database are no measure for the whole")
    func mean() async throws {
        let source = try database("app.sqlite")
        let engine = try await bench.engine { $0.announcements.anomalyPercent = 50 }
        _ = try await job(engine) {
            $0.source = "sqlite:" + source
            $0.retention.last = 100
        }
        _ = try await engine.backup(request())
        for _ in 0..<6 { _ = try await engine.backup(request { $0.includeTables = ["organizations"] }) }
        try TestDatabase(source).run("DELETE FROM users WHERE id > 5")
        let small = try await engine.backup(request())
        #expect(small.warnings.contains { $0.contains("7 rows, 83 % less than the mean of the last 1 (42)") })
    }

    @Test("What was made before is compared with where there is nothing else")
    func meanOfBefore() async throws {
        let source = try database("app.sqlite")
        let engine = try await bench.engine()
        _ = try await job(engine) { $0.source = "sqlite:" + source }
        _ = try await engine.backup(request())
        try catalog.run("UPDATE backups SET source_identity = NULL, source_scope = NULL")
        try TestDatabase(source).run("DELETE FROM users")
        #expect(try await engine.backup(request()).warnings.contains { $0.contains("2 rows, 95 % less") })
        try catalog.run("DELETE FROM backups WHERE id = 2; UPDATE backups SET record_count = 42")
        try TestDatabase(source).run("DROP TABLE users; DROP TABLE organizations")
        let error = await failure { _ = try await engine.backup(request()) }
        #expect(error.message.contains("the database has no tables, while the last backup"))
    }

    @Test("An empty database is no mishap where another one was full")
    func emptyOther() async throws {
        let engine = try await bench.engine()
        let source = try database("app.sqlite")
        _ = try await engine.backUp(source)
        let empty = bench.file("empty.sqlite")
        try TestDatabase(empty).run("PRAGMA user_version = 1")
        #expect(try await engine.backUp(empty).recordCount == 0)
        try TestDatabase(source).run("DROP TABLE users; DROP TABLE organizations")
        let error = await failure { _ = try await engine.backUp(source) }
        #expect(error.message.contains("the database has no tables, while the last backup"))
    }

    @Test("A catalog made anew from the archives knows what each holds; from archives of before it does not")
    func rebuilt() async throws {
        let source = try database("app.sqlite")
        var engine = try await bench.engine()
        _ = try await engine.backUp(source)
        _ = try await engine.backUp(source) { $0.excludeTables = ["users"] }
        let before = try await engine.list().map(\.content)
        #expect(Set(before).count == 2 && !before.contains(nil))
        let archive = try #require(try await engine.list().first)
        let manifest = try #require(try Manifest.read(besideArchive: archive.filePath))
        let described = String(decoding: manifest.header.source ?? [], as: UTF8.self)
        #expect(!described.contains(bench.directory))
        try FileManager.default.removeItem(atPath: bench.backups + "/catalog.sqlite")
        engine = try await bench.engine()
        #expect(try await engine.rebuildCatalog(fromDirectory: bench.backups).adopted == 2)
        #expect(try await engine.list().map(\.content) == before)
    }

    @Test("A job that cannot be read fails and is told of; the others run, expire and can be changed")
    func unreadable() async throws {
        let source = try database("app.sqlite")
        let engine = try await bench.engine { $0.source = .sqlite(path: source) }
        _ = try await job(engine) { $0.source = "sqlite:" + source }
        for _ in 0..<2 { _ = try await engine.backup(request()) }
        let broken = try await job(engine) { $0.name = "broken" }
        for _ in 0..<2 { _ = try await engine.backup(request { $0.job = JobReference("broken") }) }
        try catalog.run(
            #"UPDATE backup_jobs SET config_json = '{"include_tables":"users"}' WHERE id = \#(broken.id)"#)
        let error = await failure { _ = try await engine.backup(request { $0.job = JobReference("broken") }) }
        #expect(error.code == .catalog && error.message.contains("include_tables is not a list of names"))
        let run = try #require(try await engine.list(job: JobReference("broken")).first)
        #expect(run.status == .failed && run.errorMessage?.contains("include_tables") == true)
        _ = try await engine.backup(request())
        let plan = try await engine.prune(dryRun: true)
        let kept = plan.backups.filter { $0.jobID == broken.id }
        #expect(kept.count == 2 && kept.allSatisfy { $0.keep && $0.reason.contains("nothing of job \(broken.id)") })
        #expect(plan.backups.contains { $0.jobID != broken.id && $0.reason == "newest completed backup" })
        var repair = BackupJobChange()
        repair.includeTables = ["users"]
        repair.excludeTables = []
        #expect(try await engine.updateJob(JobReference("broken"), repair).includeTables == ["users"])
        #expect(try await engine.backup(request { $0.job = JobReference("broken") }).recordCount == 40)
        try catalog.run("UPDATE backup_jobs SET config_json = '{', retention_json = '{' WHERE id = \(broken.id)")
        #expect(try await engine.deleteJob(JobReference("broken")).job.id == broken.id)
        #expect(try await engine.jobs().map(\.name) == ["nightly"])
    }
}
