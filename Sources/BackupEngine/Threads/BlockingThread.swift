internal import Foundation

/// Blocking work, such as calls of SQLite, off Swift's cooperative pool.
enum BlockingThread {
    /// Runs `body` on a thread of its own and waits for it without blocking.
    static func run<Result: Sendable>(
        named name: String, _ body: @escaping @Sendable (Cancellation) throws -> Result
    ) async throws -> Result {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                start(named: name) { continuation.resume(with: Swift.Result { try body(cancellation) }) }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    static func start(named name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { body() }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }
}
