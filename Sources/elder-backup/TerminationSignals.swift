import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP: the first cancels the running verb, which then cleans up; the second ends the process.
enum TerminationSignals {
    private struct State {
        var received: Int32?
        var cancel: (@Sendable () -> Void)?
    }

    private static let state = Mutex(State())

    /// The first signal that came.
    static var received: Int32? { state.withLock { $0.received } }

    /// Keeps the signals for ``watch(_:)``; to be called before any other thread starts, since threads inherit it.
    static func block() {
        var signals = watched()
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Calls `cancel` on the first signal, from a thread that does nothing but wait.
    static func watch(_ cancel: @escaping @Sendable () -> Void) {
        state.withLock { $0.cancel = cancel }
        var thread = pthread_t()
        // Where no thread can be made the signals stay blocked, so let them act again as they do by default.
        guard pthread_create(&thread, nil, { _ in TerminationSignals.wait() }, nil) == 0 else {
            var signals = watched()
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            return
        }
        pthread_detach(thread)
    }

    private static func wait() -> UnsafeMutableRawPointer? {
        var signals = watched()
        while true {
            var number: Int32 = 0
            guard sigwait(&signals, &number) == 0 else { continue }
            let cancel = state.withLock { state in
                if state.received != nil { _exit(128 + number) }
                state.received = number
                return state.cancel
            }
            cancel?()
        }
    }

    private static func watched() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        // nohup(1) ignores it, and is to be obeyed.
        if !isIgnored(SIGHUP) { sigaddset(&signals, SIGHUP) }
        return signals
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
