import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP: the first cancels the running verb, which then cleans up; the second ends the process.
///
/// A handler may do next to nothing, so it only writes the signal's number into a pipe, which a thread reads. (Blocking
/// the signals and waiting for them does not work: the main thread ends up in libdispatch, which unblocks them all.)
enum TerminationSignals {
    private struct State {
        var received: Int32?
        var cancel: (@Sendable () -> Void)?
    }

    private static let state = Mutex(State())
    /// The pipe's end that the handler writes to.
    private static let pipeEnd = Atomic<Int32>(-1)

    /// The first signal that came.
    static var received: Int32? { state.withLock { $0.received } }

    /// Calls `cancel` on the first signal, from a thread that does nothing but wait.
    static func watch(_ cancel: @escaping @Sendable () -> Void) {
        state.withLock { $0.cancel = cancel }
        var ends: [Int32] = [-1, -1]
        // Without a pipe or a thread the signals go on to act as they do by default.
        guard pipe(&ends) == 0 else { return }
        pipeEnd.store(ends[1], ordering: .sequentiallyConsistent)
        var thread = pthread_t()
        let readEnd = UnsafeMutableRawPointer(bitPattern: Int(ends[0]))
        let status = pthread_create(
            &thread, nil, { TerminationSignals.wait(readEnd: Int32(Int(bitPattern: $0))) }, readEnd)
        guard status == 0 else { return }
        pthread_detach(thread)
        handle(SIGINT)
        handle(SIGTERM)
        // nohup(1) ignores it, and is to be obeyed.
        if !isIgnored(SIGHUP) { handle(SIGHUP) }
    }

    private static func wait(readEnd: Int32) -> UnsafeMutableRawPointer? {
        while true {
            var byte: UInt8 = 0
            guard read(readEnd, &byte, 1) == 1 else { continue }
            let number = Int32(byte)
            let cancel = state.withLock { state in
                if state.received != nil { _exit(128 + number) }
                state.received = number
                return state.cancel
            }
            cancel?()
        }
    }

    private static func handle(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            let before = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(TerminationSignals.pipeEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
            errno = before
        }
        action.sa_flags = SA_RESTART
        sigaction(number, &action, nil)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
