internal import Synchronization

/// What a client has learned from its server: each bucket's region, and by how much the clocks differ.
final class ServerMemory: Sendable {
    private struct State {
        var regions: [String: String] = [:]
        var clockDifference: Int64 = 0
    }

    private let state = Mutex(State())

    func region(of bucket: String?) -> String? {
        guard let bucket else { return nil }
        return state.withLock { $0.regions[bucket] }
    }

    func learn(region: String, of bucket: String?) {
        guard let bucket else { return }
        state.withLock { $0.regions[bucket] = region }
    }

    /// To add to this machine's clock, in seconds.
    var clockDifference: Int64 {
        get { state.withLock { $0.clockDifference } }
        set { state.withLock { $0.clockDifference = newValue } }
    }
}
