import BackupCore
import BackupEngine
import CSQLite
import Foundation
import Synchronization
import TestSupport
import Testing

/// A process that moves money between accounts all the while, and never waits for a lock.
private final class Writer: Sendable {
    private let path: String
    private let committed = Atomic<Int>(0)
    private let blocked = Atomic<Int>(0)
    private let stopped = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)

    var commits: Int { committed.load(ordering: .sequentiallyConsistent) }
    var refusals: Int { blocked.load(ordering: .sequentiallyConsistent) }

    init(_ path: String) { self.path = path }

    func start(accounts: Int) {
        Thread.detachNewThread {
            var generator = SeededGenerator(seed: 7)
            if let database = try? TestDatabase(self.path, "PRAGMA busy_timeout=0; PRAGMA synchronous=OFF") {
                while !self.stopped.load(ordering: .sequentiallyConsistent) {
                    let amount = Int.random(in: 1...100, using: &generator)
                    let from = Int.random(in: 1...accounts, using: &generator)
                    let to = Int.random(in: 1...accounts, using: &generator)
                    do {
                        try database.run(
                            "BEGIN IMMEDIATE; UPDATE accounts SET balance=balance-\(amount) WHERE id=\(from);"
                                + "UPDATE accounts SET balance=balance+\(amount) WHERE id=\(to);"
                                + "INSERT INTO transfers VALUES(NULL,\(from),\(to),\(amount)); COMMIT")
                        self.committed.add(1, ordering: .sequentiallyConsistent)
                    } catch {
                        self.blocked.add(1, ordering: .sequentiallyConsistent)
                        try? database.run("ROLLBACK")
                    }
                }
            }
            self.ended.signal()
        }
    }

    func stop() {
        stopped.store(true, ordering: .sequentiallyConsistent)
        #expect(ended.wait(timeout: .now() + 30) == .success)
    }

    /// Waits until so many more transfers were committed; false when that takes too long.
    func awaitCommits(_ count: Int) -> Bool {
        let goal = commits + count
        let deadline = ContinuousClock.now + .seconds(30)
        while commits < goal {
            guard ContinuousClock.now < deadline else { return false }
            sched_yield()
        }
        return true
    }
}

@Suite("A backup beside a live writer")
struct LiveTests {
    @Test("with a write-ahead log the writer goes on, and the backup is of one moment")
    func liveWriter() async throws {
        let bench = try Bench()
        let source = bench.file("bank.sqlite")
        try TestDatabase(source).run(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
                + "CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INT NOT NULL, note TEXT);"
                + "CREATE TABLE transfers(id INTEGER PRIMARY KEY, source INT, target INT, amount INT);"
                + "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c WHERE x<100000)"
                + "INSERT INTO accounts SELECT x, 1000, hex(randomblob(20)) FROM c")
        let writer = Writer(source)
        writer.start(accounts: 100_000)
        // While the snapshot is held, the run goes on only once the writer has.
        let watch = StepWatch { step in
            if [.snapshotTaken, .tableWritten].contains(step) { #expect(writer.awaitCommits(20)) }
        }
        let engine = try await bench.engine(observer: watch.observer)
        #expect(writer.awaitCommits(20))
        let backup = try await engine.backUp(source)
        let refusals = writer.refusals
        writer.stop()
        #expect(refusals == 0, "the writer was made to wait \(refusals) times")
        #expect(writer.commits >= 80)
        #expect(watch.steps.filter { $0 == .tableWritten }.count == 2)

        try await engine.restore(backup.filename, into: bench.file("new.sqlite")) { $0.prove = true }
        let restored = try TestDatabase(bench.file("new.sqlite"))
        #expect(try restored.first("SELECT sum(balance) FROM accounts") == "100000000")
        // Every account is what its transfers made it: both tables are of the same moment.
        let torn = """
            SELECT count(*) FROM accounts a WHERE balance <> 1000
                + coalesce((SELECT sum(amount) FROM moved m WHERE m.id = a.id), 0)
            """
        try restored.run(
            "CREATE TABLE moved(id INTEGER, amount INT); INSERT INTO moved SELECT source, -amount FROM transfers;"
                + "INSERT INTO moved SELECT target, amount FROM transfers; CREATE INDEX by_id ON moved(id)")
        #expect(try restored.first(torn) == "0")
        let total = Int(try TestDatabase(source).first("SELECT count(*) FROM transfers")) ?? 0
        let held = Int(try restored.first("SELECT count(*) FROM transfers")) ?? 0
        #expect(held >= 20 && held < total)
    }

    @Test("a staged backup lets the writer of a rollback-journal database go on")
    func staged() async throws {
        let bench = try Bench()
        let source = bench.file("bank.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INT); CREATE TABLE transfers(id INTEGER PRIMARY KEY, s, t, a);"
                + "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c WHERE x<1000)"
                + "INSERT INTO accounts SELECT x, 1000 FROM c")
        let writer = Writer(source)
        let watch = StepWatch { step in
            if step == .snapshotTaken {
                writer.start(accounts: 1000)
                #expect(writer.awaitCommits(20))
            }
        }
        let engine = try await bench.engine(observer: watch.observer)
        let backup = try await engine.backUp(source) { $0.stage = true }
        writer.stop()
        #expect(backup.recordCount == 1000)
        #expect(bench.archiveFiles == [backup.filename, backup.filename + ".manifest.json"])
    }
}

@Suite("Large values")
struct LargeValueTests {
    /// Runs the program that was built together with the tests; gives its peak of resident memory in bytes.
    ///
    /// Python starts it, because a process counts as its own the memory of the one that started it.
    private func peakMemory(_ arguments: [String], in bench: Bench) throws -> Int {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let tests = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "elder-backup").path
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            [
                "python3", "-c",
                "import resource,subprocess,sys\nr=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL)\n"
                    + "print(r.returncode,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", program,
            ] + arguments
        process.environment = [
            "BACKUP_DIR": bench.backups, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
        ]
        process.currentDirectoryURL = URL(filePath: bench.directory)
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let words = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        guard words.count == 2, words[0] == 0 else { throw TestFailure(description: "\(arguments) ended with \(text)") }
        return words[1] * 1024
    }

    @Test("a value of 200 MB passes within four times its size and 64 MiB")
    func twoHundredMegabytes() async throws {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        let size = 200_000_000
        _ = try Comparison.tool([
            source,
            "CREATE TABLE files(id INTEGER PRIMARY KEY, content BLOB); INSERT INTO files VALUES(1,randomblob(\(size))),(2,x'00')",
        ])
        let limit = 4 * size + 64 << 20
        let backup = try peakMemory(["backup", "--source", "sqlite:" + source, "--json"], in: bench)
        #expect(backup <= limit, "backup took \(backup >> 20) MiB")
        let restored = bench.file("restored.sqlite")
        let restore = try peakMemory(["restore", "1", "--into", "sqlite:" + restored, "--prove", "--json"], in: bench)
        #expect(restore <= limit, "restore took \(restore >> 20) MiB")
        let verify = try peakMemory(["verify", "1", "--json"], in: bench)
        #expect(verify <= limit, "verify took \(verify >> 20) MiB")
        let equal = try TestDatabase(restored, "ATTACH '\(source)' AS s")
        let query = "SELECT count(*) FROM files a JOIN s.files b USING(id) WHERE a.content=b.content"
        #expect(try equal.first(query) == "2")
    }
}
