import BackupCatalog
import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import NetworkTestSupport
import Synchronization
import Testing

@Suite("The scheduler")
struct SchedulerTests {
    /// When a job of ``half`` was due last.
    private let due: Timestamp
    /// The schedule of every hour that was due half an hour ago: what is due for a few minutes is late, not missed.
    private let half: String

    init() throws {
        let now = Timestamp.now()
        half = "\((now.civil.minute + 30) % 60) * * * *"
        let hourAgo = Timestamp(microseconds: now.microseconds - 3_600_000_000)
        due = try #require(try CronSchedule(half).next(after: hourAgo, offset: { _ in 0 }))
    }

    private func makeJobs(_ names: String..., schedule: String? = nil, in engine: BackupEngine) async throws {
        for name in names {
            var change = BackupJobChange()
            change.name = name
            change.schedule = schedule ?? half
            _ = try await engine.createJob(change)
        }
    }

    /// As if the jobs had been made four days ago, and the service not been there since.
    private func makeOld(_ catalog: String) throws {
        try ServiceBench.query(
            """
            UPDATE backup_jobs SET created_at = datetime('now', '-4 days'), updated_at = datetime('now', '-4 days'),
                schedule_changed_at = datetime('now', '-4 days')
            """, on: catalog)
    }

    private static func completed(_ bench: ServiceBench) async throws -> [Int64] {
        try await bench.engine.list().filter { $0.status == .completed }.map(\.jobID).sorted()
    }

    private static func missed(_ bench: ServiceBench) async throws -> [Int64] {
        let failed = try await bench.engine.list().filter { $0.status == .failed }
        #expect(failed.allSatisfy { $0.errorMessage?.hasPrefix("missed: it was due at") == true })
        return failed.map(\.jobID).sorted()
    }

    @Test("A run that was missed is written down as failed, and made up for once")
    func missed() async throws {
        try await ServiceBench.with(prepare: { engine, catalog in
            try await makeJobs("hourly", "elsewhere", in: engine)
            // What cannot be scheduled must not keep the others from running.
            try ServiceBench.query("UPDATE backup_jobs SET time_zone = 'Mars/Olympus' WHERE id = 2", on: catalog)
            try makeOld(catalog)
        }) { bench in
            try await bench.until { try await !Self.completed(bench).isEmpty }
            #expect(try await Self.completed(bench) == [1])
            #expect(try await Self.missed(bench) == [1])
        }
    }

    @Test("Who is told of missed runs and is slow to answer holds up no run, and is told of all of them")
    func slowListener() async throws {
        let answers = Mutex(false)
        let script: LoopbackServer.Script = { _ in
            while !answers.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(20)) }
            return .init(200)
        }
        try await LoopbackServer.serve(script) { server in
            try await ServiceBench.with(
                configure: {
                    $0.announcements.webhook = Secret(server.origin)
                    $0.announcements.events = [.missed]
                },
                prepare: { engine, catalog in
                    try await makeJobs("a", "b", "c", "d", "e", "f", in: engine)
                    try makeOld(catalog)
                }
            ) { bench in
                try await bench.until { try await Self.completed(bench) == [1, 2, 3, 4, 5, 6] }
                answers.withLock { $0 = true }
                try await bench.until {
                    let told = server.requests.compactMap { request in
                        let body = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
                        return (body?["job"] as? [String: Any])?["id"] as? Int
                    }
                    return Set(told) == [1, 2, 3, 4, 5, 6]
                }
            }
        }
    }

    @Test("Who does not answer at all does not keep the service from stopping")
    func deafListener() async throws {
        let log = LogCollector()
        try await LoopbackServer.serve({ _ in nil }) { server in
            try await ServiceBench.with(
                configure: {
                    $0.announcements.webhook = Secret(server.origin)
                    $0.announcements.events = [.missed]
                }, logger: log.logger,
                prepare: { engine, catalog in
                    try await makeJobs("a", in: engine)
                    try makeOld(catalog)
                }, settings: { settings, _ in settings.announcementPatience = .milliseconds(50) }
            ) { bench in
                try await bench.until { try await Self.completed(bench) == [1] }
                try await bench.until { !server.requests.isEmpty }
            }
        }
        #expect(log.lines.contains { $0.hasPrefix("the service stopped before all missed runs were told of") })
    }

    @Test("What finds no place is made up for when there is one, and was missed once")
    func noPlace() async throws {
        let log = LogCollector()
        try await ServiceBench.with(
            logger: log.logger,
            prepare: { engine, catalog in
                try await makeJobs("a", "b", "c", in: engine)
                try makeOld(catalog)
            },
            settings: { settings, _ in
                settings.maximumRuns = 1
                settings.longestQueue = 0
            }
        ) { bench in
            try await bench.until { try await Self.completed(bench).count >= 3 }
            #expect(try await Self.completed(bench) == [1, 2, 3])
            #expect(try await Self.missed(bench) == [1, 2, 3])
            #expect(log.lines.filter { $0.hasPrefix("job 3 is due and waits for a place") }.count == 1)
        }
    }

    @Test("What was missed and not made up for before the service ended is made up for by the next start")
    func earlierLife() async throws {
        try await ServiceBench.with(prepare: { engine, catalog in
            try await makeJobs("a", in: engine)
            try makeOld(catalog)
            _ = try await engine.recordMissedRun(job: 1, due: due)
        }) { bench in
            try await bench.until { try await !Self.completed(bench).isEmpty }
            #expect(try await Self.completed(bench) == [1])
            #expect(try await Self.missed(bench) == [1])
        }
    }

    @Test("A schedule that was just set, enabled or moved to another time zone has missed nothing")
    func changed() async throws {
        let past = Timestamp(microseconds: Timestamp.now().microseconds - 2_400_000_000).civil
        let ahead = Timestamp(microseconds: Timestamp.now().microseconds + 1_200_000_000).civil
        try await ServiceBench.with(prepare: { engine, catalog in
            try await makeJobs("set", schedule: "@yearly", in: engine)
            try await makeJobs("enabled", schedule: "\(past.minute) \(past.hour) * * *", in: engine)
            // By the clock an hour ahead of UTC it was due forty minutes ago.
            try await makeJobs("moved", schedule: "\(ahead.minute) \(ahead.hour) * * *", in: engine)
            try await makeJobs("missed", in: engine)
            try ServiceBench.query(
                "UPDATE backup_jobs SET enabled = 0 WHERE id = 2; "
                    + "UPDATE backup_jobs SET last_run_at = datetime('now', '-3 days')", on: catalog)
            try makeOld(catalog)
            var change = BackupJobChange()
            change.schedule = "\(past.minute) \(past.hour) * * *"
            _ = try await engine.updateJob(JobReference("1"), change)
            change = BackupJobChange()
            change.enabled = true
            _ = try await engine.updateJob(JobReference("2"), change)
            change = BackupJobChange()
            change.timeZone = "Etc/GMT-1"
            _ = try await engine.updateJob(JobReference("3"), change)
        }) { bench in
            try await bench.until { try await !Self.completed(bench).isEmpty }
            #expect(try await bench.engine.list().allSatisfy { $0.jobID == 4 })
        }
    }

    @Test(
        "While another process sees to the schedule nothing is begun; then this one takes over, and each is said once")
    func otherProcess() async throws {
        let log = LogCollector()
        let turn = Mutex<ScheduleTurn?>(nil)
        try await ServiceBench.with(
            logger: log.logger,
            prepare: { engine, catalog in
                try await makeJobs("a", in: engine)
                try makeOld(catalog)
                let taken = try await engine.takeSchedule()
                turn.withLock { $0 = taken }
            }
        ) { bench in
            let refusal = "another process sees to the schedule (process \(getpid()) since "
            try await bench.until { log.lines.contains { $0.hasPrefix(refusal) } }
            #expect(try await bench.engine.list().isEmpty)
            turn.withLock { $0 = nil }
            try await bench.until { try await Self.completed(bench) == [1] }
            #expect(log.lines.filter { $0.hasPrefix(refusal) }.count == 1)
            #expect(log.lines.filter { $0.hasPrefix("this process sees to the schedule from now on") }.count == 1)
        }
    }

    @Test("A run that another process is at is left out, which is no failure")
    func runElsewhere() async throws {
        let log = LogCollector()
        let held = Mutex<HeldLock?>(nil)
        try await ServiceBench.with(
            logger: log.logger,
            prepare: { engine, catalog in
                try await makeJobs("a", in: engine)
                try makeOld(catalog)
                let job = try await engine.job(JobReference("1"))
                let lock = HeldLock(
                    try JobLock.acquire(directory: engine.configuration.backupDirectory, jobUUID: job.uuid))
                held.withLock { $0 = lock }
            }
        ) { bench in
            let line = "job 1 is due and another process runs it; this one is left out"
            try await bench.until { log.lines.contains { $0.hasPrefix(line) } }
            #expect(!log.lines.contains { $0.hasPrefix("job 1 failed") })
            held.withLock { $0 = nil }
        }
    }

    private final class HeldLock: Sendable {
        private let lock: JobLock

        init(_ lock: consuming JobLock) { self.lock = lock }
    }

    @Test("A job that cannot be read fails when it is due, and the others run")
    func unreadable() async throws {
        try await ServiceBench.with(prepare: { engine, catalog in
            try await makeJobs("good", "broken", in: engine)
            try makeOld(catalog)
            try ServiceBench.query(
                "UPDATE backup_jobs SET config_json = '{\"include_tables\":\"users\"}' WHERE id = 2", on: catalog)
        }) { bench in
            try await bench.until {
                let records = try await bench.engine.list()
                return records.contains { $0.jobID == 1 && $0.status == .completed }
                    && records.contains { $0.errorMessage?.contains("include_tables is not a list") == true }
            }
            let token = try await bench.token(.admin)
            let list = try await bench.ask(.GET, "/api/v1/backup/jobs", token: token)
            let faults = (list.json["jobs"] as? [[String: Any]])?.map { $0["fault"] as? String }
            #expect(list.status == 200 && faults?.count == 2 && faults?.first == .some(nil))
            #expect(faults?.last??.hasPrefix("job 2: config_json cannot be read") == true)
            let plan = try await bench.ask(.GET, "/api/v1/backup/jobs/2/retention", token: token)
            #expect(plan.status == 200 && plan.json["deleted"] as? Int == 0)
            let repair = try await bench.ask(
                .PUT, "/api/v1/backup/jobs/2", token: token, body: #"{"include_tables":["users"],"exclude_tables":[]}"#,
                headers: [("Content-Type", "application/json")])
            #expect(repair.status == 200 && repair.json["fault"] is NSNull)
        }
    }
}
