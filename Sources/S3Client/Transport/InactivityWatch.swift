internal import NIOCore
internal import Synchronization

/// Ends an exchange in which nothing moves any more: neither the request's body out, nor the answer in. A server that
/// takes the connection and then does nothing would otherwise hold it for ever.
final class InactivityWatch: Sendable {
    private let lastMove = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)
    /// In nanoseconds.
    private let allowed: Atomic<UInt64>
    private let allowedForAnswer: UInt64

    /// - Parameters:
    ///   - inactivity: between two moves, in seconds.
    ///   - answer: between the request's end and the answer's begin, in seconds.
    init(inactivity: Int, answer: Int) {
        allowed = Atomic(UInt64(max(inactivity, 1)) * 1_000_000_000)
        allowedForAnswer = UInt64(max(answer, 1)) * 1_000_000_000
    }

    func touch() { lastMove.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }

    /// From now on the server may think before it answers.
    func requestSent() {
        touch()
        if allowed.load(ordering: .relaxed) < allowedForAnswer { allowed.store(allowedForAnswer, ordering: .relaxed) }
    }

    /// Calls `stalled` once when nothing has moved for too long.
    ///
    /// - Returns: to be cancelled when the exchange is over.
    func start(on loop: any EventLoop, _ stalled: @escaping @Sendable () -> Void) -> RepeatedTask {
        loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { task in
            let now = NIODeadline.now().uptimeNanoseconds
            let last = self.lastMove.load(ordering: .relaxed)
            guard now > last, now - last > self.allowed.load(ordering: .relaxed) else { return }
            task.cancel()
            stalled()
        }
    }
}
