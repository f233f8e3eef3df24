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
                // What finds no place is tried again in a moment.
                if await begin(due) { handled[due.jobID] = now }
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

    /// Sees to a run that is due; whether it is seen to.
    private func begin(_ due: DueRuns.Due) async -> Bool {
        if await runs.isActive(job: due.jobID) {
            logger.notice("job \(due.jobID) is due and its last run goes on; this one is left out")
            return true
        }
        guard !due.isMissed || catchesUp else {
            await noteMissed(due)
            return true
        }
        let wish = Run.Request(kind: .backup, name: "schedule", jobID: due.jobID)
        do {
            if due.isMissed { await noteMissed(due) }
            // What is begun within it is the scheduler's.
            let (_, work) = try await AuditActor.$current.withValue(AuditActor(name: "scheduler")) {
                try await runs.submit(wish) { engine in
                    var request = BackupRequest()
                    request.job = JobReference("\(due.jobID)")
                    return try await engine.backup(request)
                }
            }
            Task { await note(due.jobID, work.result) }
            return true
        } catch {
            logger.notice("job \(due.jobID) was not started", metadata: ["error": "\(error)"])
            return due.isMissed
        }
    }

    private func note(_ jobID: Int64, _ result: Result<BackupResponse, any Error>) {
        switch result {
        case .success(let response):
            let copied = response.s3Error.map { "; its copy is missing: \($0)" } ?? ""
            logger.info("job \(jobID) made \(response.filename)\(copied)")
        case .failure(let error):
            logger.error("job \(jobID) failed", metadata: ["error": "\(error)"])
        }
    }
}
