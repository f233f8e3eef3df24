internal import BackupCore
internal import BackupEngine
internal import Logging
internal import ServiceLifecycle

/// Runs jobs when they are due. One run of a job goes on at a time (the engine's lock sees to it); what was missed while
/// the service was away is written down as a failed run and made up for once.
struct Scheduler: Service {
    let engine: BackupEngine
    let runs: RunSupervisor
    let catchesUp: Bool
    let logger: Logger

    /// How long a change of a job, or of the clock, may go unnoticed.
    private static let longestSleep = 15.0

    func run() async throws {
        await cancelWhenGracefulShutdown { await watch() }
    }

    private func watch() async {
        var handled: [Int64: Timestamp] = [:]
        while !Task.isCancelled {
            let now = Timestamp.now()
            let plan = await plan(&handled, now)
            for due in plan?.due ?? [] {
                handled[due.jobID] = now
                if due.isMissed { await noteMissed(due) }
                if !due.isMissed || catchesUp { await start(due.jobID) }
            }
            let pause = plan?.next.map { $0.seconds(since: now) } ?? Scheduler.longestSleep
            try? await Task.sleep(for: .seconds(min(max(pause, 0.05), Scheduler.longestSleep)))
        }
    }

    private func plan(_ handled: inout [Int64: Timestamp], _ now: Timestamp) async -> DueRuns? {
        let jobs: [BackupJob]
        do {
            jobs = try await engine.jobs(enabled: true)
        } catch {
            logger.error("the schedule cannot be read; it is tried again", metadata: ["error": "\(error)"])
            return nil
        }
        var schedules: [(job: BackupJob, schedule: CronSchedule)] = []
        var clocks: [Int64: JobClock] = [:]
        for job in jobs {
            guard let text = job.schedule else { continue }
            do {
                clocks[job.id] = try job.clock()
                schedules.append((job, try CronSchedule(text, owner: job.uuid)))
            } catch {
                // The other jobs go on.
                logger.error("job \(job.id) cannot be scheduled", metadata: ["error": "\(error)"])
            }
        }
        let ids = Set(schedules.map(\.job.id))
        handled = handled.filter { ids.contains($0.key) }
        let offsets = clocks
        return DueRuns(schedules, handled: handled, now: now) { job in { offsets[job.id]?.offset($0) ?? 0 } }
    }

    private func noteMissed(_ due: DueRuns.Due) async {
        do {
            try await engine.recordMissedRun(job: due.jobID, due: due.moment)
        } catch {
            logger.error("a missed run could not be written down", metadata: ["error": "\(error)"])
        }
    }

    private func start(_ jobID: Int64) async {
        let engine = engine
        let logger = logger
        do {
            // What is begun within it is the scheduler's.
            try await AuditActor.$current.withValue(AuditActor(name: "scheduler")) {
                try await runs.begin {
                    var request = BackupRequest()
                    request.job = JobReference("\(jobID)")
                    do {
                        let response = try await engine.backup(request)
                        let copied = response.s3Error.map { "; its copy is missing: \($0)" } ?? ""
                        logger.info("job \(jobID) made \(response.filename)\(copied)")
                    } catch {
                        logger.error("job \(jobID) failed", metadata: ["error": "\(error)"])
                    }
                }
            }
        } catch {
            logger.notice("job \(jobID) was not started", metadata: ["error": "\(error)"])
        }
    }
}
