internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
internal import Logging
internal import ServiceLifecycle

/// Owns what runs: a run goes on when the client that asked for it is gone, and ends before the service does. So many go on
/// at a time; those that are asked for beyond wait in the order of their asking, and not more than so many.
actor RunSupervisor: Service {
    /// How many ended runs are remembered, and for how long.
    static let remembered = 200
    static let memory = Duration.seconds(86_400)
    /// How often the records of runs that died elsewhere are closed.
    private static let sweepInterval = Duration.seconds(60)

    private let engine: BackupEngine
    private let settings: ServiceSettings
    private let logger: Logger
    private var runs: [String: Run] = [:]
    private var tasks: [String: Task<Void, Never>] = [:]
    /// Those that are over, and of which others are being told.
    private var announcements: [String: Task<Void, Never>] = [:]
    /// Those that have a place; the others' turns.
    private var admitted: Set<String> = []
    private var queue: [String] = []
    /// Places in the queue for runs that are yet to be asked for.
    private let reserved = Places()
    private var waiters: [String: CheckedContinuation<Void, any Error>] = [:]
    /// Those that will have no turn, and why.
    private var dropped: [String: any Error] = [:]
    /// Ended runs, the oldest first.
    private var ended: [(id: String, at: ContinuousClock.Instant)] = []
    private var isClosing = false

    init(engine: BackupEngine, settings: ServiceSettings, logger: Logger) {
        self.engine = engine
        self.settings = settings
        self.logger = logger
    }

    /// Whether new runs are refused.
    var isStopping: Bool { isClosing }

    /// Runs a verb to its end, whatever becomes of the caller, and gives back what came of it.
    ///
    /// - Throws: what the verb throws, and `Refusal` as ``submit(_:_:)`` does.
    func run<Output: Encodable & Sendable>(
        _ request: Run.Request, _ body: @escaping @Sendable (BackupEngine) async throws -> Output
    ) async throws -> Output {
        try await submit(request, body).work.value
    }

    /// Begins a run, or puts it into the queue, and does not wait for it.
    ///
    /// - Throws: `Refusal` where the service is about to stop, or the queue is full.
    func submit<Output: Encodable & Sendable>(
        _ request: Run.Request, _ body: @escaping @Sendable (BackupEngine) async throws -> Output
    ) throws -> (run: Run, work: Task<Output, any Error>) {
        if request.isLong, request.turn == nil { try checkRoom() } else { try checkOpen() }
        request.turn?.release()
        let run = Run(request)
        runs[run.id] = run
        if request.isLong { queue.append(run.id) }
        admitNext()
        let engine = engine.under(run.control)
        let work = Task {
            do {
                if request.isLong { try await self.turn(of: run.id) }
                run.log.begin()
                let output = try await body(engine)
                run.log.end(.success(output))
                return output
            } catch {
                run.log.end(.failure(error))
                throw error
            }
        }
        tasks[run.id] = Task {
            await withTaskCancellationHandler {
                _ = await work.result
            } onCancel: {
                work.cancel()
            }
            self.retire(run)
        }
        return (run, work)
    }

    /// Keeps a place for a run of which not all is known yet; it is free again with the last reference to it.
    ///
    /// - Throws: `Refusal` where the service is about to stop, or the queue is full.
    func reserve() throws -> Place? {
        try checkRoom()
        return reserved.take()
    }

    private func checkOpen() throws {
        if isClosing { throw Refusal.busy("the service is about to stop; ask again later") }
    }

    private func checkRoom() throws {
        try checkOpen()
        let waiting = queue.count + reserved.count
        guard admitted.count + waiting < settings.maximumRuns + settings.longestQueue else {
            throw Refusal.busy("\(waiting) runs are waiting already, and no more may; ask again later")
        }
    }

    // MARK: - What there is

    func run(_ id: String) -> Run? {
        forget()
        return runs[id]
    }

    /// All that are known, the newest first, without their results.
    var all: [RunDescription] {
        forget()
        return runs.values.map { run in
            var description = run.log.description
            description.result = nil
            return description
        }.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
    }

    /// What goes on, or waits, for a backup.
    func active(backup id: Int64) -> [Run] {
        runs.values.filter { run in
            let description = run.log.description
            return description.backupID == id && !description.isOver
        }
    }

    /// Whether a backup of a job goes on here, or waits.
    func isActive(job id: Int64) -> Bool {
        runs.values.contains { run in
            run.request.kind == .backup && run.request.jobID == id && !run.log.description.isOver
        }
    }

    /// Stops a run, or takes it from the queue.
    ///
    /// - Throws: `locked` where it is over.
    func cancel(_ run: Run, by name: String) throws {
        guard !run.log.description.isOver else {
            throw BackupError(.locked, "the run \(run.id) is \(run.log.description.state.rawValue) already")
        }
        let reason = "cancelled by \(name)"
        run.control.cancel(reason)
        drop(run.id, BackupError(.cancelled, reason))
    }

    /// How many go on, and how many wait for their turn.
    var counts: (active: Int, waiting: Int) { (tasks.count - queue.count, queue.count) }

    // MARK: - Turns

    /// Whether a run need not wait, or not any more.
    func hasTurn(_ id: String) -> Bool { !queue.contains(id) }

    private func turn(of id: String) async throws {
        if admitted.contains(id) { return }
        if let reason = dropped.removeValue(forKey: id) { throw reason }
        try await withCheckedThrowingContinuation { waiters[id] = $0 }
    }

    private func admitNext() {
        while admitted.count < settings.maximumRuns, !queue.isEmpty {
            let id = queue.removeFirst()
            admitted.insert(id)
            waiters.removeValue(forKey: id)?.resume()
        }
    }

    /// Takes a run that waits out of the queue.
    private func drop(_ id: String, _ reason: any Error) {
        guard let place = queue.firstIndex(of: id) else { return }
        queue.remove(at: place)
        if let waiter = waiters.removeValue(forKey: id) {
            waiter.resume(throwing: reason)
        } else {
            dropped[id] = reason
        }
    }

    private func retire(_ run: Run) {
        tasks[run.id] = nil
        admitted.remove(run.id)
        ended.append((run.id, .now))
        // Its place is free: who is told of it may be slow to listen.
        announcements[run.id] = Task {
            await run.control.announce()
            self.announcements[run.id] = nil
        }
        admitNext()
        forget()
    }

    private func forget() {
        let limit = ContinuousClock.now - RunSupervisor.memory
        while let first = ended.first, ended.count > RunSupervisor.remembered || first.at < limit {
            runs[first.id] = nil
            ended.removeFirst()
        }
    }

    // MARK: - The end

    /// Waits for the order to stop, then for the runs; those that outlast the patience are cancelled, which they write
    /// down. What waits for its turn does not get one. Then others are told of them, within a bound.
    func run() async throws {
        await cancelWhenGracefulShutdown { await self.sweep() }
        isClosing = true
        for id in queue {
            drop(id, Refusal.busy("the service stopped before the run had its turn; ask again later"))
        }
        let running = Array(tasks.values)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for run in running { await run.value } }
            group.addTask { try? await Task.sleep(for: self.settings.shutdownPatience) }
            await group.next()
            group.cancelAll()
            for run in running { run.cancel() }
        }
        for run in running { await run.value }
        await endAnnouncements()
        await engine.settleOutcomes()
    }

    private func endAnnouncements() async {
        let left = Array(announcements.values)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for announcement in left { await announcement.value } }
            group.addTask { try? await Task.sleep(for: self.settings.announcementPatience) }
            await group.next()
            group.cancelAll()
            for announcement in left { announcement.cancel() }
        }
    }

    /// Until the service stops. A run that dies in another process would say `running` until the next start.
    private func sweep() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.sweepInterval)
            if Task.isCancelled { return }
            do {
                try await engine.sweep()
            } catch {
                logger.error("dead runs could not be closed; it is tried again", metadata: ["error": "\(error)"])
            }
        }
    }
}
