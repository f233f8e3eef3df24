import Synchronization

/// Something that is taken out of a bench and looked at once the bench is gone.
final class Kept<Value: Sendable>: Sendable {
    private let stored = Mutex<Value?>(nil)

    var value: Value? {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}
