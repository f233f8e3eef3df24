internal import BackupEngine
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Tells of missed runs beside the schedule, which must not wait for those who are told.
final class MissedRunTeller: Service {
    /// How many are told of at a time.
    private static let most = 4

    private let engine: BackupEngine
    /// How long it may go on once the service is told to stop.
    private let patience: Duration
    private let logger: Logger
    private let untold = Mutex(0)
    private let missed: AsyncStream<MissedRun>
    private let queue: AsyncStream<MissedRun>.Continuation

    init(engine: BackupEngine, patience: Duration, logger: Logger) {
        self.engine = engine
        self.patience = patience
        self.logger = logger
        (missed, queue) = AsyncStream.makeStream(of: MissedRun.self)
    }

    func tell(_ missed: MissedRun) {
        untold.withLock { $0 += 1 }
        queue.yield(missed)
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.tellAll() }
            try? await gracefulShutdown()
            queue.finish()
            group.addTask { try? await Task.sleep(for: self.patience) }
            await group.next()
            group.cancelAll()
        }
        let count = untold.withLock { $0 }
        if count > 0 {
            logger.warning("the service stopped before all missed runs were told of", metadata: ["runs": "\(count)"])
        }
    }

    /// Goes on until the queue is finished and empty.
    private func tellAll() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await run in missed {
                if running == MissedRunTeller.most {
                    await group.next()
                } else {
                    running += 1
                }
                group.addTask {
                    await self.engine.tell(run)
                    if !Task.isCancelled { self.untold.withLock { $0 -= 1 } }
                }
            }
        }
    }
}
