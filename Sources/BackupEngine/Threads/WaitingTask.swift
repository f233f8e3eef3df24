internal import BackupCore
internal import Foundation
internal import Synchronization

/// The task that waits for a thread's work, as that thread sees it: it runs what is asynchronous for it, one after the
/// other.
///
/// So a verb stays one plain sequence on one thread, holds its locks from beginning to end, and what it asks of a store
/// belongs to the caller's task and is cancelled with it.
final class WaitingTask<Output: Sendable>: Sendable {
    typealias Job = @Sendable () async -> Void

    private struct State {
        var jobs: [Job] = []
        var waiter: CheckedContinuation<Job?, Never>?
        var output: Result<Output, any Error>?
    }

    private let state = Mutex(State())

    /// For the thread: hands a job over.
    func submit(_ job: @escaping Job) {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.jobs.append(job)
                return nil as CheckedContinuation<Job?, Never>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: job)
    }

    /// For the thread: ends the waiting.
    func finish(_ output: Result<Output, any Error>) {
        let waiter = state.withLock { state in
            state.output = output
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// For the task: runs jobs until the thread has ended. Does not end early when the task is cancelled: a thread that
    /// waits for its job would wait for ever.
    func serve() async throws -> Output {
        while let job = await next() { await job() }
        guard let output = state.withLock({ $0.output }) else {
            throw BackupError(.internal, "a verb ended without a result; please report this")
        }
        return try output.get()
    }

    private func next() async -> Job? {
        await withCheckedContinuation { continuation in
            let job = state.withLock { state -> Job?? in
                if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
                if state.output != nil { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let job { continuation.resume(returning: job) }
        }
    }
}

/// What comes out of a job, for the thread that waits for it.
final class JobOutcome<Output: Sendable>: Sendable {
    private let result = Mutex<Result<Output, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func set(_ value: Result<Output, any Error>) {
        result.withLock { $0 = value }
        done.signal()
    }

    /// Blocks the thread.
    func wait() throws -> Output {
        done.wait()
        guard let result = result.withLock({ $0 }) else {
            throw BackupError(.internal, "a job ended without a result; please report this")
        }
        return try result.get()
    }
}
