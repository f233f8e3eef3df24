internal import BackupCore

/// What a verb has at hand on its thread.
struct VerbContext: Sendable {
    let cancellation: Cancellation
    let stores: Stores
    /// Who asked for it.
    let actor: AuditActor
    private let submit: @Sendable (@escaping @Sendable () async -> Void) -> Void

    init(
        cancellation: Cancellation, stores: Stores, actor: AuditActor,
        submit: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.cancellation = cancellation
        self.stores = stores
        self.actor = actor
        self.submit = submit
    }

    /// Has the waiting task run something asynchronous, and blocks the verb's thread until it has ended.
    func wait<Output: Sendable>(_ work: @escaping @Sendable () async throws -> Output) throws -> Output {
        try cancellation.check()
        let outcome = JobOutcome<Output>()
        submit {
            do {
                outcome.set(.success(try await work()))
            } catch is CancellationError {
                outcome.set(.failure(BackupError(.cancelled, "cancelled")))
            } catch {
                outcome.set(.failure(error))
            }
        }
        return try outcome.wait()
    }

    /// The same for what is to be done after a run, be it cancelled: the work must set its own limit.
    func waitRegardless<Output: Sendable>(_ work: @escaping @Sendable () async -> Output) throws -> Output {
        let outcome = JobOutcome<Output>()
        submit { outcome.set(.success(await Task { await work() }.value)) }
        return try outcome.wait()
    }
}

extension BackupEngine {
    /// Runs a verb on a thread of its own, with the stores at hand.
    func runVerb<Output: Sendable>(
        named name: String, _ body: @escaping @Sendable (VerbContext) throws -> Output
    ) async throws -> Output {
        let cancellation = control?.cancellation ?? Cancellation()
        let stores = Stores(
            configuration.remote, basis: configuration.remoteBasis, catalog: catalog, logger: logger)
        let task = WaitingTask<Output>()
        let context = VerbContext(
            cancellation: cancellation, stores: stores, actor: .current, submit: { task.submit($0) })
        let serving = Task { try await task.serve() }
        // Whoever cancels, be it a limit or another task, ends what the verb waits for as well.
        cancellation.onCancel { serving.cancel() }
        do {
            let output = try await withTaskCancellationHandler {
                BlockingThread.start(named: name) { task.finish(Result { try body(context) }) }
                return try await serving.value
            } onCancel: {
                cancellation.cancel()
            }
            await stores.shutdown()
            return output
        } catch {
            await stores.shutdown()
            throw cancellation.explained(error)
        }
    }
}
