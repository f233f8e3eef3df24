import Synchronization

/// A clock that stands still until a test moves it; in seconds since 1970.
final class ManualClock: Sendable {
    private let seconds: Mutex<Double>

    init(_ seconds: Double = 1_369_353_600) { self.seconds = Mutex(seconds) }

    var now: Double { seconds.withLock { $0 } }

    func advance(by seconds: Double) { self.seconds.withLock { $0 += seconds } }
}
