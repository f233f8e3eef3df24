import BackupCore
import BackupEngine
import Foundation
import Glibc
import Synchronization
import Testing

@Suite("Limits, retries and the end of runs before their time")
struct RunTests {
    private let bench: Bench

    init() throws { bench = try Bench() }

    private func makeSource(_ name: String = "app.sqlite", rows: Int = 2) throws {
        let sql = """
            CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < \(rows))
            INSERT INTO users SELECT i, 'user ' || i FROM n;
            """
        let output = try Comparison.tool([bench.file(name), sql])
        try #require(output.status == 0)
    }

    private func job(
        _ engine: BackupEngine, _ change: (inout JobRunOptionsChange) -> Void
    ) async throws -> BackupRequest {
        var job = BackupJobChange()
        job.name = "app"
        job.source = "sqlite:" + bench.file("app.sqlite")
        change(&job.options)
        var request = BackupRequest()
        request.job = JobReference("\(try await engine.createJob(job).id)")
        return request
    }

    @Test("Pauses are doubled, bounded and scattered; what cannot pass is not tried again")
    func plan() throws {
        var plan = RetryPlan(retries: 3, base: .seconds(10))
        let passing = BackupError(.source, "gone for a moment")
        #expect(plan.pause(after: passing, jitter: 1) == .seconds(10))
        #expect(plan.pause(after: passing, jitter: 0) == .seconds(10))
        #expect(plan.pause(after: BackupError(.usage, "no"), jitter: 1) == nil)
        #expect(plan.pause(after: BackupError(.cancelled, "no"), jitter: 1) == nil)
        #expect(plan.pause(after: passing, jitter: 1) == .seconds(40))
        #expect(plan.pause(after: passing, jitter: 1) == nil)
        var standby = RetryPlan(retries: 0, base: .seconds(10))
        let moment = BackupError(.source, "the standby had to go on", isTransient: true)
        #expect(standby.pause(after: moment, jitter: 1) == .seconds(1))
        #expect(standby.pause(after: moment, jitter: 1) == .seconds(2))
        #expect(standby.pause(after: moment, jitter: 1) == nil)
        var long = RetryPlan(retries: 10, base: .seconds(600))
        for _ in 0..<10 { #expect(long.pause(after: passing, jitter: 1) == RetryPlan.longestPause) }
    }

    @Test("A run is begun anew until its database is there")
    func retries() async throws {
        let failures = Mutex(0)
        let engine = try await bench.engine {
            $0.retryDelay = .milliseconds(50)
        } observer: { [self] event in
            guard case .warning(let line) = event, line.hasPrefix("attempt") else { return }
            let count = failures.withLock { count in
                count += 1
                return count
            }
            if count == 2 { try? makeSource() }
        }
        let response = try await engine.backup(try await job(engine) { $0.retries = .set(5) })
        #expect(response.recordCount == 2)
        #expect(response.warnings.filter { $0.hasPrefix("attempt 1 failed") }.count == 1)
        #expect(failures.withLock { $0 } == 2)
        #expect(try await engine.list().count == 1)
    }

    @Test("When all attempts fail the record says so")
    func exhausted() async throws {
        let engine = try await bench.engine { $0.retryDelay = .milliseconds(10) }
        let request = try await job(engine) { $0.retries = .set(2) }
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.message.hasPrefix("3 attempts failed, the last one so: "), "\(error)")
        #expect(try await engine.list().map(\.status) == [.failed])
    }

    @Test("A run that is cancelled while it waits for its next attempt ends at once, and its record names who did it")
    func cancelledPause() async throws {
        let engine = try await bench.engine { $0.retryDelay = .seconds(600) }
        let request = try await job(engine) { $0.retries = .set(10) }
        let box = Mutex<RunControl?>(nil)
        let control = RunControl { event in
            if case .warning = event { box.withLock { $0 }?.cancel("cancelled by ada") }
        }
        box.withLock { $0 = control }
        let start = ContinuousClock.now
        let error = await failure { _ = try await engine.under(control).backup(request) }
        #expect(error.code == .cancelled && error.message == "cancelled by ada")
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(try await engine.list().first?.errorMessage == "cancelled by ada")
        // The lock is free again.
        try makeSource()
        #expect(try await engine.backup(request).recordCount == 2)
        box.withLock { $0 = nil }
    }

    @Test("A run that takes too long is ended, with its command and what that started")
    func timeout() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let pids = bench.file("pids")
        let request = try await job(engine) {
            $0.timeoutSeconds = .set(1)
            $0.preCommand = .set("echo $$ > \(pids); sleep 600 & echo $! >> \(pids); wait")
        }
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.message.contains("timeout_seconds"), "\(error)")
        #expect(try await engine.list().first?.errorMessage?.contains("limit of 1 s") == true)
        try await expectGone(pids)
    }

    @Test("A command that ignores its limit is killed, with what it started")
    func hookLimit() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let pids = bench.file("pids")
        let request = try await job(engine) {
            $0.hookSeconds = .set(1)
            $0.preCommand = .set("trap '' TERM; echo $$ > \(pids); sleep 600 & echo $! >> \(pids); wait; sleep 600")
        }
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.message.contains("took longer than 1 s"), "\(error)")
        try await expectGone(pids)
    }

    private func expectGone(_ path: String) async throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let pids = text.split(separator: "\n").map(String.init)
        #expect(pids.count == 2)
        let end = ContinuousClock.now + .seconds(20)
        func isAlive(_ pid: String) -> Bool {
            // One that is dead and has no parent to collect it says Z.
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
            return !stat.contains(") Z")
        }
        while pids.contains(where: isAlive), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!pids.contains(where: isAlive))
    }

    @Test("An attempt without progress is ended, and the next one may succeed")
    func stall() async throws {
        try makeSource()
        let stalls = Mutex(1)
        let engine = try await bench.engine {
            $0.retryDelay = .milliseconds(10)
        } observer: { event in
            guard case .step(.snapshotTaken) = event else { return }
            let isStalled = stalls.withLock { count in
                count -= 1
                return count >= 0
            }
            // A database that gives nothing holds up the run's thread, as this does.
            if isStalled { Thread.sleep(forTimeInterval: 2.5) }
        }
        let request = try await job(engine) {
            $0.stallSeconds = .set(1)
            $0.retries = .set(1)
        }
        let response = try await engine.backup(request)
        #expect(response.warnings.contains { $0.contains("stall_seconds") }, "\(response.warnings)")
        #expect(response.recordCount == 2)
    }

    @Test("A run is cancelled by another process's order, which goes with it")
    func order() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { $0.preCommand = .set("sleep 600") }
        let run = Task { try await engine.backup(request) }
        let end = ContinuousClock.now + .seconds(20)
        while try await engine.list().first?.status != .running, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(10))
        }
        _ = try await engine.cancel(BackupReference("1"), by: "bob on the command line")
        let error = await failure { _ = try await run.value }
        #expect(error.message == "cancelled by bob on the command line")
        #expect(try await engine.list().first?.errorMessage == "cancelled by bob on the command line")
        let locks = try FileManager.default.contentsOfDirectory(atPath: bench.backups + "/.locks")
        #expect(!locks.contains { $0.hasSuffix(".cancel") }, "\(locks)")
        #expect(await failure { _ = try await engine.cancel(BackupReference("1"), by: "bob") }.code == .notFound)
    }

    @Test("An order that was left behind does not stop the run that has the number now")
    func staleOrder() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { $0.preCommand = .set("sleep 1") }
        let locks = bench.backups + "/.locks"
        try FileManager.default.createDirectory(atPath: locks, withIntermediateDirectories: true)
        let installation = try TestDatabase(bench.backups + "/catalog.sqlite")
            .first("SELECT value FROM elder_backup_meta WHERE key='installation_id'").prefix(8)
        for name in ["backup-1.cancel", "backup-\(installation)-1-1700000000000000.cancel"] {
            try Data("ghost".utf8).write(to: URL(filePath: locks + "/" + name))
        }
        #expect(try await engine.backup(request).success)
    }

    @Test("What died cannot be cancelled, and its record is closed")
    func cancelDead() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { _ in }
        let made = try await engine.backup(request)
        try FileManager.default.removeItem(atPath: made.filePath)
        try TestDatabase(bench.backups + "/catalog.sqlite")
            .run("UPDATE backups SET status='running', process_host='elsewhere.invalid'")
        let error = await failure { _ = try await engine.cancel(BackupReference("1"), by: "ada") }
        #expect(error.code == .notFound && error.message == "backup 1 does not run: it is failed", "\(error)")
        #expect(try await engine.record(1).errorMessage?.contains("died") == true)
    }

    /// Lets nobody write down how a run ended.
    private func lockRecords() throws -> TestDatabase {
        try TestDatabase(
            bench.backups + "/catalog.sqlite",
            "CREATE TRIGGER no_end BEFORE UPDATE ON backups BEGIN SELECT RAISE(ABORT, 'not now'); END")
    }

    @Test("The end of a run that the catalog does not take is written down once it does")
    func unwritten() async throws {
        let engine = try await bench.engine()
        let request = try await job(engine) { $0.preCommand = .set("exit 3") }
        let catalog = try lockRecords()
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.message.contains("exit status 3"), "\(error)")
        #expect(try await engine.record(1).status == .running)
        let refusal = try await engine.refusalToCancel(1)
        #expect(refusal.code == .locked && refusal.message.hasPrefix("the run of backup 1 is over"), "\(refusal)")
        try catalog.run("DROP TRIGGER no_end")
        let end = ContinuousClock.now + .seconds(30)
        while try await engine.record(1).status == .running, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(50))
        }
        let record = try await engine.record(1)
        #expect(record.status == .failed && record.errorMessage?.contains("exit status 3") == true)
    }

    @Test("The next run of the job, and the end of a service, write down how the one before ended")
    func unwrittenBefore() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { $0.preCommand = .set("[ -e '\(bench.file("good"))' ] || exit 3") }
        let catalog = try lockRecords()
        _ = await failure { _ = try await engine.backup(request) }
        try catalog.run("DROP TRIGGER no_end")
        try Data().write(to: URL(filePath: bench.file("good")))
        #expect(try await engine.backup(request).success)
        #expect(try await engine.record(1).errorMessage?.contains("exit status 3") == true)
        // A good one, too.
        try catalog.run("CREATE TRIGGER no_end BEFORE UPDATE ON backups BEGIN SELECT RAISE(ABORT, 'not now'); END")
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.code == .catalog && error.message.contains("is complete"), "\(error)")
        #expect(try await engine.record(3).status == .running)
        try catalog.run("DROP TRIGGER no_end")
        await engine.settleOutcomes()
        let record = try await engine.record(3)
        #expect(record.status == .completed && record.recordCount == 2)
    }

    @Test("What a command leaves behind ends with it, and does not hold up the run; what has left its group goes on")
    func leftovers() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let (pids, escaped) = (bench.file("pids"), bench.file("escaped"))
        let request = try await job(engine) {
            $0.preCommand = .set(
                "echo $$ > \(pids); sleep 600 & echo $! >> \(pids); "
                    + "setsid sh -c 'echo $$ > \(escaped); exec sleep 600' & while [ ! -s \(escaped) ]; do sleep 0.02; done"
            )
        }
        #expect(try await engine.backup(request).success)
        try await expectGone(pids)
        let text = try String(contentsOfFile: escaped, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let pid = try #require(Int32(text))
        #expect(kill(pid, SIGKILL) == 0)
    }

    @Test("A command that ends by its limit is told so, and not by the signal")
    func plainLimit() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) {
            $0.hookSeconds = .set(1)
            $0.preCommand = .set("sleep 30")
        }
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.message.contains("pre command took longer than 1 s and was ended"), "\(error)")
    }

    @Test(
        "How a command ended is told in words",
        arguments: [
            ("exit 1", "the job's pre command ended with exit status 1, so"),
            ("kill -TERM $$", "the job's pre command was ended by signal 15 (SIGTERM), so"),
        ])
    func endings(command: String, words: String) async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { $0.preCommand = .set(command) }
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.message.hasPrefix(words), "\(error)")
    }

    @Test("A pre command that fails fails the run before the snapshot, and the post command is told")
    func failingPre() async throws {
        try makeSource()
        let steps = StepWatch()
        let engine = try await bench.engine(observer: steps.observer)
        let told = bench.file("told")
        let request = try await job(engine) {
            $0.preCommand = .set("echo no >&2; exit 3")
            $0.postCommand = .set(
                "echo $ELDER_BACKUP_JOB,$ELDER_BACKUP_STATUS,$ELDER_BACKUP_ID,$ELDER_BACKUP_FILE,$ELDER_BACKUP_ERROR > \(told)"
            )
        }
        let error = await failure { _ = try await engine.backup(request) }
        #expect(error.message.contains("pre command ended with"), "\(error)")
        #expect(!steps.steps.contains(.snapshotTaken))
        let text = try String(contentsOfFile: told, encoding: .utf8)
        #expect(text.hasPrefix("app,failed,1,,the job's pre command"), "\(text)")
        #expect(try await engine.list().first?.status == .failed)
    }

    @Test("A post command that fails is a warning")
    func failingPost() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { $0.postCommand = .set("test -f \"$ELDER_BACKUP_FILE\" && exit 7") }
        let response = try await engine.backup(request)
        #expect(response.success && response.warnings.contains { $0.contains("post command ended with") })
        #expect(response.warnings.contains { $0.contains("7") }, "\(response.warnings)")
    }

    @Test("A command that prints without end does not fill the memory, and is not held up")
    func output() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { $0.preCommand = .set("yes | head -c 50000000; yes | head -c 1000 >&2") }
        #expect(try await engine.backup(request).success)
    }

    @Test("A job goes with its backups, or without")
    func deletedJob() async throws {
        try makeSource()
        let engine = try await bench.engine()
        let request = try await job(engine) { _ in }
        for _ in 0..<2 { _ = try await engine.backup(request) }
        let kept = try await engine.deleteJob(JobReference("app"))
        #expect(kept.deletedBackups == 0)
        #expect(try await engine.list().count == 2)
        let second = try await job(engine) { _ in }
        let made = try await engine.backup(second)
        let removal = try await engine.deleteJob(JobReference("app"), backups: .delete)
        #expect(removal.deletedBackups == 1 && removal.freedBytes == made.fileSize)
        #expect(try await engine.list().count == 2)
        #expect(!FileManager.default.fileExists(atPath: made.filePath))
    }
}
