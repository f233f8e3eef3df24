internal import BackupCore
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Ends a backup that takes longer than its job allows, makes no progress, or is told to stop by another process. A thread
/// of its own, since it looks for a file, and the run's thread may be held up by a database.
final class RunWatch: Sendable {
    private struct State {
        var progress = ContinuousClock.now
        /// Of the attempt that goes on; nil where none does.
        var attempt: Cancellation?
    }

    private static let interval = DispatchTimeInterval.milliseconds(250)

    private let options: JobRunOptions
    private let cancellation: Cancellation
    private let orderPath: String
    private let started = ContinuousClock.now
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - cancellation: of the whole run.
    ///   - order: the file that tells the run to stop.
    init(_ options: JobRunOptions, _ cancellation: Cancellation, order: String) {
        self.options = options
        self.cancellation = cancellation
        orderPath = order
    }

    func start() { BlockingThread.start(named: "watch") { self.watch() } }

    func end() {
        ended.signal()
        unlink(orderPath)
    }

    /// Something was done.
    func noteProgress() { state.withLock { $0.progress = .now } }

    /// Begins an attempt, which is cancelled by itself where it makes no progress.
    func beginAttempt() -> Cancellation {
        let attempt = Cancellation(parent: cancellation)
        state.withLock { state in
            state.progress = .now
            state.attempt = attempt
        }
        return attempt
    }

    /// Until the next attempt there is no progress to be made.
    func endAttempt() { state.withLock { $0.attempt = nil } }

    private func watch() {
        while ended.wait(timeout: .now() + Self.interval) == .timedOut {
            if let seconds = options.timeoutSeconds, ContinuousClock.now - started > .seconds(seconds) {
                cancellation.cancel(
                    BackupError(
                        .cancelled,
                        "the run took longer than its limit of \(seconds) s (timeout_seconds of the job) and was ended")
                )
            }
            if let name = CancelOrder.name(at: orderPath) {
                cancellation.cancel(BackupError(.cancelled, "cancelled by \(name)"))
            }
            if let seconds = options.stallSeconds { endStalled(seconds) }
        }
    }

    private func endStalled(_ seconds: Int) {
        let stalled = state.withLock { state in
            ContinuousClock.now - state.progress > .seconds(seconds) ? state.attempt : nil
        }
        stalled?.cancel(
            BackupError(
                .source, "the backup made no progress for \(seconds) s (stall_seconds of the job) and was ended"))
    }
}
