import Synchronization

/// Counts what is in use at a time.
final class Peak: Sendable {
    private let state = Mutex((now: Int64(0), most: Int64(0), times: 0))

    var most: Int64 { state.withLock { $0.most } }
    var times: Int { state.withLock { $0.times } }

    func add(_ amount: Int64) {
        state.withLock {
            $0.now += amount
            $0.times += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func remove(_ amount: Int64) { state.withLock { $0.now -= amount } }
}
