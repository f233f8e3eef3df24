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
}

extension BackupEngine {
    /// Runs a verb on a thread of its own, with the stores at hand.
    func runVerb<Output: Sendable>(
        named name: String, _ body: @escaping @Sendable (VerbContext) throws -> Output
    ) async throws -> Output {
        let cancellation = Cancellation()
        let stores = Stores(configuration.remote, logger: logger)
        let task = WaitingTask<Output>()
        let context = VerbContext(
            cancellation: cancellation, stores: stores, actor: .current, submit: { task.submit($0) })
        do {
            let output = try await withTaskCancellationHandler {
                BlockingThread.start(named: name) { task.finish(Result { try body(context) }) }
                return try await task.serve()
            } onCancel: {
                cancellation.cancel()
            }
            await stores.shutdown()
            return output
        } catch {
            await stores.shutdown()
            throw error
        }
    }
}
