internal import BackupCore
internal import BackupEngine
internal import Logging
internal import ServiceLifecycle

/// Runs jobs when they are due. One process at a time sees to the schedule of a catalog, and one run of a job goes
/// on at a time (the engine's locks see to both). What was missed while the service was away is written down as a failed
/// run and made up for once; what finds no place stays due.
struct Scheduler: Service {
    let engine: BackupEngine
    let runs: RunSupervisor
    let teller: MissedRunTeller
    let catchesUp: Bool
    let logger: Logger

    /// How long a change of a job, or of the clock, may go unnoticed, in seconds.
    private static let longestSleep = 15.0
    /// After so many seconds a run that found no place is tried again.
    private static let placePause = 1.0
    /// After so many seconds it is looked again whether another process has given the schedule up.
    private static let turnPause = 5.0

    /// What keeps this process from having the schedule to itself.
    private enum Obstacle: Equatable {
        case otherProcess
        case fault(String)
    }

    /// What is known beyond the catalog.
    private struct Memory {
        var turn: ScheduleTurn?
        /// Until when each job's schedule was seen to.
        var handled: [Int64: Timestamp] = [:]
        /// The moments of runs that found no place so far.
        var waiting: [Int64: Timestamp] = [:]
        /// Jobs whose schedule cannot be read.
        var unreadable: Set<Int64> = []
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await watch() }
    }

    private func watch() async {
        var memory = Memory()
        var obstacle: Obstacle?
        while !Task.isCancelled {
            if memory.turn == nil { obstacle = await takeSchedule(&memory, lastObstacle: obstacle) }
            // Where nothing can be locked each run fails for the same reason, and tells whoever is to know.
            let pause = obstacle == .otherProcess ? Scheduler.turnPause : await seeToRuns(&memory)
            try? await Task.sleep(for: .seconds(pause))
        }
    }

    /// Takes the schedule for this process, and gives back what is in the way; what was in the way the last time is not
    /// told again.
    private func takeSchedule(_ memory: inout Memory, lastObstacle: Obstacle?) async -> Obstacle? {
        do {
            // What another one did meanwhile is in the catalog alone.
            memory = Memory(turn: try await engine.takeSchedule())
            if lastObstacle == .otherProcess { logger.notice("this process sees to the schedule from now on") }
            return nil
        } catch let error as BackupError where error.code == .locked {
            if lastObstacle != .otherProcess {
                logger.notice("\(error.message); this one takes over when that one ends")
            }
            return .otherProcess
        } catch {
            let obstacle = Obstacle.fault("\(error)")
            if lastObstacle != obstacle {
                logger.error(
                    "the schedule cannot be locked against other processes", metadata: ["error": "\(error)"])
            }
            return obstacle
        }
    }

    /// Begins what is due; for how many seconds there is nothing more to do.
    private func seeToRuns(_ memory: inout Memory) async -> Double {
        let now = Timestamp.now()
        guard let plan = await plan(&memory, now) else { return Scheduler.longestSleep }
        memory.handled = plan.handled
        let isDue = Set(plan.due.map(\.jobID))
        memory.waiting = memory.waiting.filter { isDue.contains($0.key) }
        for due in plan.due {
            if await begin(due, wasRefused: memory.waiting[due.jobID] != nil) {
                memory.handled[due.jobID] = now
                memory.waiting[due.jobID] = nil
            } else if memory.waiting[due.jobID] == nil {
                memory.waiting[due.jobID] = due.moment
            }
        }
        let longest = memory.waiting.isEmpty ? Scheduler.longestSleep : Scheduler.placePause
        return min(max(plan.next?.seconds(since: Timestamp.now()) ?? longest, 0.05), longest)
    }

    private func plan(_ memory: inout Memory, _ now: Timestamp) async -> DueRuns? {
        let jobs: [BackupJob]
        do {
            jobs = try await engine.jobs(enabled: true)
        } catch {
            logger.error("the schedule cannot be read; it is tried again", metadata: ["error": "\(error)"])
            return nil
        }
        var schedules: [(job: BackupJob, schedule: CronSchedule)] = []
        var clocks: [Int64: JobClock] = [:]
        var unreadable: Set<Int64> = []
        for job in jobs {
            guard let text = job.schedule else { continue }
            do {
                clocks[job.id] = try job.clock()
                schedules.append((job, try CronSchedule(text, owner: job.uuid)))
            } catch {
                // The other jobs go on.
                unreadable.insert(job.id)
                guard !memory.unreadable.contains(job.id) else { continue }
                logger.error("job \(job.id) cannot be scheduled", metadata: ["error": "\(error)"])
            }
        }
        memory.unreadable = unreadable
        let offsets = clocks
        return DueRuns(schedules, handled: memory.handled, waiting: memory.waiting, now: now) { job in
            { offsets[job.id]?.offset($0) ?? 0 }
        }
    }

    private func noteMissed(_ due: DueRuns.Due) async {
        do {
            if let missed = try await engine.recordMissedRun(job: due.jobID, due: due.moment) { teller.tell(missed) }
        } catch {
            logger.error("a missed run could not be written down", metadata: ["error": "\(error)"])
        }
    }

    /// Sees to a run that is due; whether it is seen to. What is not stays due.
    private func begin(_ due: DueRuns.Due, wasRefused: Bool) async -> Bool {
        if await runs.isActive(job: due.jobID) {
            logger.notice("job \(due.jobID) is due and its last run goes on; this one is left out")
            return true
        }
        if due.isMissed {
            await noteMissed(due)
            guard catchesUp else { return true }
        }
        let wish = Run.Request(kind: .backup, name: "schedule", jobID: due.jobID)
        do {
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
            if !wasRefused {
                logger.warning("job \(due.jobID) is due and waits for a place", metadata: ["error": "\(error)"])
            }
            return false
        }
    }

    private func note(_ jobID: Int64, _ result: Result<BackupResponse, any Error>) {
        switch result {
        case .success(let response):
            let copied = response.s3Error.map { "; its copy is missing: \($0)" } ?? ""
            logger.info("job \(jobID) made \(response.filename)\(copied)")
        case .failure(let error as BackupError) where error.code == .locked:
            logger.notice("job \(jobID) is due and another process runs it; this one is left out")
        case .failure(let error):
            logger.error("job \(jobID) failed", metadata: ["error": "\(error)"])
        }
    }
}
