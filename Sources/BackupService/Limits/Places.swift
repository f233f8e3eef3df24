internal import Synchronization

/// So many of something at one time.
final class Places: Sendable {
    let limit: Int
    private let taken = Mutex(0)

    init(limit: Int = .max) { self.limit = limit }

    /// How many are taken.
    var count: Int { taken.withLock { $0 } }

    /// Nil where all are taken.
    func take() -> Place? {
        let isFree = taken.withLock { taken in
            guard taken < limit else { return false }
            taken += 1
            return true
        }
        return isFree ? Place(of: self) : nil
    }

    fileprivate func giveBack() { taken.withLock { $0 -= 1 } }
}

/// A place that was taken; it is free again with the last reference to it, or earlier.
final class Place: Sendable {
    private let places: Places
    private let isTaken = Mutex(true)

    fileprivate init(of places: Places) { self.places = places }

    deinit { release() }

    func release() {
        let wasTaken = isTaken.withLock { isTaken in
            defer { isTaken = false }
            return isTaken
        }
        if wasTaken { places.giveBack() }
    }
}
