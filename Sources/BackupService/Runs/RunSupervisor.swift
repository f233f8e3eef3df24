internal import BackupCore
internal import ServiceLifecycle

/// Owns what runs: a run goes on when the client that asked for it is gone, and ends before the service does.
actor RunSupervisor: Service {
    private var runs: [Int: Task<Void, Never>] = [:]
    private var lastNumber = 0
    private var isClosing = false
    private let patience: Duration

    init(patience: Duration) { self.patience = patience }

    /// Runs a verb to its end, whatever becomes of the caller, and gives back what came of it.
    ///
    /// - Throws: what the verb throws; `cancelled` where the service is about to stop.
    func run<Output: Sendable>(_ body: @escaping @Sendable () async throws -> Output) async throws -> Output {
        try await begin(body).value
    }

    /// Begins a run and does not wait for it.
    ///
    /// - Throws: `cancelled` where the service is about to stop.
    @discardableResult
    func begin<Output: Sendable>(
        _ body: @escaping @Sendable () async throws -> Output
    ) throws(BackupError) -> Task<Output, any Error> {
        guard !isClosing else { throw BackupError(.cancelled, "the service is about to stop; ask again later") }
        lastNumber += 1
        let number = lastNumber
        let work = Task { try await body() }
        runs[number] = Task {
            await withTaskCancellationHandler {
                _ = await work.result
            } onCancel: {
                work.cancel()
            }
            self.end(number)
        }
        return work
    }

    /// Whether new runs are refused.
    var isStopping: Bool { isClosing }

    /// What goes on, and what waits for a place: whatever is asked for begins at once.
    var counts: (active: Int, waiting: Int) { (runs.count, 0) }

    private func end(_ number: Int) { runs[number] = nil }

    /// Waits for the order to stop, then for the runs; those that outlast the patience are cancelled, which they write
    /// down.
    func run() async throws {
        try? await gracefulShutdown()
        isClosing = true
        let running = Array(runs.values)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for run in running { await run.value } }
            group.addTask { try? await Task.sleep(for: self.patience) }
            await group.next()
            group.cancelAll()
            for run in running { run.cancel() }
        }
        for run in running { await run.value }
    }
}
