import BackupCore
import BackupService
import Testing

private let minute: Int64 = 60_000_000

@Suite("Which jobs are due")
struct DueRunsTests {
    /// 2026-11-23 02:00 UTC.
    private let night = Timestamp("2026-11-23T02:00:00Z") ?? Timestamp(microseconds: 0)

    private func at(_ minutes: Int64) -> Timestamp { Timestamp(microseconds: night.microseconds + minutes * minute) }

    private func job(_ id: Int64, lastRun: Timestamp?, made: Timestamp) -> BackupJob {
        BackupJob(
            id: id, uuid: "u\(id)", name: "job \(id)", retention: RetentionPolicy(days: 30), lastRunAt: lastRun,
            createdAt: made, updatedAt: made)
    }

    private func plan(
        _ schedule: String, lastRun: Timestamp?, changed: Timestamp? = nil, handled: Timestamp? = nil, now: Timestamp
    ) throws -> DueRuns {
        var job = job(1, lastRun: lastRun, made: at(-100_000))
        job.scheduleChangedAt = changed
        return DueRuns(
            [(job, try CronSchedule(schedule))], handled: handled.map { [1: $0] } ?? [:], now: now,
            clock: { _ in { _ in 0 } })
    }

    @Test("On time, once, and the next one is known")
    func onTime() throws {
        let early = try plan("0 2 * * *", lastRun: at(-1_440), now: at(-1))
        #expect(early.due.isEmpty && early.next == night)
        let due = try plan("0 2 * * *", lastRun: at(-1_440), now: at(0))
        #expect(due.due == [DueRuns.Due(jobID: 1, moment: night, isMissed: false)] && due.next == at(1_440))
        let after = try plan("0 2 * * *", lastRun: at(-1_440), handled: at(0), now: at(1))
        #expect(after.due.isEmpty && after.next == at(1_440))
    }

    @Test("What was missed is due once, however often it was missed", arguments: ["0 2 * * *", "* * * * *", "@hourly"])
    func missed(_ schedule: String) throws {
        let plan = try plan(schedule, lastRun: at(-1_440 * 60), now: at(1_440 * 3 + 10))
        #expect(plan.due.count == 1)
        let due = try #require(plan.due.first)
        #expect(due.moment <= at(1_440 * 3 + 10))
        #expect(due.isMissed == (schedule != "* * * * *"))
        if schedule == "0 2 * * *" { #expect(due.moment == at(1_440 * 3)) }
        if schedule == "@hourly" { #expect(due.moment == at(1_440 * 3)) }
    }

    @Test("A job that never ran is due from when it was made on")
    func fresh() throws {
        let made = at(-30)
        let job = job(1, lastRun: nil, made: made)
        let plan = DueRuns(
            [(job, try CronSchedule("0 2 * * *"))], handled: [:], now: at(-10), clock: { _ in { _ in 0 } })
        #expect(plan.due.isEmpty && plan.next == night)
    }

    @Test("A clock that is set back runs nothing twice, and stops nothing for long")
    func clockBack() throws {
        let hour = try plan("0 * * * *", lastRun: nil, handled: at(0), now: at(-60))
        #expect(hour.due.isEmpty && hour.next == at(60))
        let year = try plan("0 * * * *", lastRun: nil, handled: at(525_600), now: at(-30))
        #expect(year.due.isEmpty && year.next == at(0))
        let later = try plan("0 * * * *", lastRun: at(525_600), handled: year.handled[1], now: at(0))
        #expect(later.due == [DueRuns.Due(jobID: 1, moment: night, isMissed: false)])
        let restarted = try plan("0 * * * *", lastRun: at(525_600), changed: at(-90), now: at(-30))
        #expect(restarted.due.isEmpty && restarted.handled == [1: at(-30)])
    }

    @Test("What another process has begun is not due again")
    func begunElsewhere() throws {
        let late = Timestamp(microseconds: night.microseconds + 7_000_000)
        let begun = Timestamp(microseconds: night.microseconds + 1_000_000)
        let due = try plan("* * * * *", lastRun: at(-1), handled: at(-1), now: late)
        #expect(due.due.map(\.moment) == [night])
        let seen = try plan("* * * * *", lastRun: begun, handled: at(-1), now: late)
        #expect(seen.due.isEmpty && seen.next == at(1))
    }

    @Test("A schedule says nothing of times before it was set")
    func changed() throws {
        // Due forty minutes ago.
        let new = try plan("20 1 * * *", lastRun: at(-1_440 * 3), changed: at(-1), now: at(0))
        #expect(new.due.isEmpty && new.next == at(1_400))
        let running = try plan("20 1 * * *", lastRun: at(-1_440 * 3), changed: at(-50), handled: at(-60), now: at(0))
        #expect(running.due == [DueRuns.Due(jobID: 1, moment: at(-40), isMissed: true)])
        let run = try plan("20 1 * * *", lastRun: at(-30), changed: at(-1_440 * 3), now: at(0))
        #expect(run.due.isEmpty)
        // Set before the catalog kept when.
        let old = try plan("20 1 * * *", lastRun: at(-1_440 * 3), now: at(0))
        #expect(old.due == [DueRuns.Due(jobID: 1, moment: at(-40), isMissed: true)])
    }

    @Test("What waits for a place is late and not missed, and goes before what was due after it")
    func waiting() throws {
        let jobs = [
            (job(1, lastRun: at(-1), made: at(-100)), try CronSchedule("* * * * *")),
            (job(2, lastRun: at(-60), made: at(-100)), try CronSchedule("@hourly")),
            (job(3, lastRun: at(-1), made: at(-100)), try CronSchedule("* * * * *")),
        ]
        func due(_ waiting: [Int64: Timestamp]) -> [DueRuns.Due] {
            DueRuns(jobs, handled: [:], waiting: waiting, now: at(10), clock: { _ in { _ in 0 } }).due
        }
        let hourly = DueRuns.Due(jobID: 2, moment: night, isMissed: true)
        let first = DueRuns.Due(jobID: 1, moment: at(10), isMissed: false)
        let third = DueRuns.Due(jobID: 3, moment: at(10), isMissed: false)
        #expect(due([:]) == [hourly, first, third])
        let late = DueRuns.Due(jobID: 2, moment: night, isMissed: false)
        #expect(due([2: night, 3: at(4)]) == [late, third, first])
    }

    @Test("Through a simulated year each due run comes exactly once, restarts and all")
    func year() throws {
        var handled: Timestamp?
        var lastRun: Timestamp? = at(0)
        var found: [Timestamp] = []
        var now = at(0)
        let schedule = try CronSchedule("30 2 * * mon-fri")
        let job = job(1, lastRun: nil, made: at(0))
        var step: Int64 = 0
        while now < at(525_600) {
            var current = job
            current.lastRunAt = lastRun
            let plan = DueRuns(
                [(current, schedule)], handled: handled.map { [1: $0] } ?? [:], now: now, clock: { _ in { _ in 0 } })
            for due in plan.due {
                found.append(due.moment)
                lastRun = now
                handled = now
            }
            step += 1
            // Now and then the service starts anew and knows nothing but the job's last run.
            if step % 7 == 0 { handled = nil }
            now.microseconds += (step % 5 + 1) * 17 * minute
        }
        var expected: [Timestamp] = []
        var moment = at(0)
        while let next = schedule.next(after: moment, offset: { _ in 0 }), next <= now {
            expected.append(next)
            moment = next
        }
        #expect(found == expected.filter { $0 < at(525_600) || found.contains($0) })
        #expect(found.count > 250)
    }
}
