internal import BackupCore
internal import Synchronization

/// Tells work on a thread of its own that it is to stop, and why.
final class Cancellation: Sendable {
    private struct State {
        var isCancelled = false
        var reason: BackupError?
        var handlers: [@Sendable () -> Void] = []
    }

    private let flag = Atomic<Bool>(false)
    private let state = Mutex(State())
    /// What cancels this too, and is not cancelled by it.
    private let parent: Cancellation?

    init(parent: Cancellation? = nil) { self.parent = parent }

    /// Only the first call counts.
    ///
    /// - Parameter reason: what the work fails with; a plain `cancelled` when nil.
    func cancel(_ reason: BackupError? = nil) {
        let handlers = state.withLock { state -> [@Sendable () -> Void] in
            if state.isCancelled { return [] }
            state.isCancelled = true
            state.reason = reason
            defer { state.handlers = [] }
            return state.handlers
        }
        flag.store(true, ordering: .releasing)
        for handler in handlers { handler() }
    }

    /// Calls `handler` once this is cancelled: at once where it is already.
    func onCancel(_ handler: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isCancelled { state.handlers.append(handler) }
            return state.isCancelled
        }
        if isLate { handler() }
    }

    var isCancelled: Bool { flag.load(ordering: .acquiring) || parent?.isCancelled ?? false }

    private var reason: BackupError? { state.withLock { $0.reason } ?? parent?.reason }

    /// - Throws: the reason, or `cancelled`.
    func check() throws {
        if isCancelled { throw reason ?? BackupError(.cancelled, "cancelled; nothing was changed") }
    }

    /// The failure of work that was told to stop, as the reason tells it. One that has more to say than that it was
    /// cancelled stays as it is.
    func explained(_ error: any Error) -> any Error {
        guard isCancelled, let reason else { return error }
        if error is CancellationError { return reason }
        guard let error = error as? BackupError, error.code == .cancelled, error.message.hasPrefix("cancelled") else {
            return error
        }
        return reason
    }
}
