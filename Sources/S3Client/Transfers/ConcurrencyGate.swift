/// Lets so many through at one time as the server bears: half as many when it asks for fewer, at most once a second, and
/// one more after each round that went well.
package actor ConcurrencyGate {
    package private(set) var limit: Int
    private let maximum: Int
    private var running = 0
    private var successes = 0
    private var lastCut: ContinuousClock.Instant?
    private var waiting: [(id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    private var nextID = 0

    package init(initial: Int, maximum: Int) {
        self.maximum = max(maximum, 1)
        limit = min(max(initial, 1), max(maximum, 1))
    }

    /// - Throws: `CancellationError`.
    package func enter() async throws {
        try Task.checkCancellation()
        guard running >= limit else {
            running += 1
            return
        }
        let id = nextID
        nextID += 1
        let isAdmitted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(returning: false)
                } else {
                    waiting.append((id, continuation))
                }
            }
        } onCancel: {
            // The handler is synchronous, and what it has to change belongs to the actor.
            Task { await self.giveUp(id) }
        }
        guard isAdmitted else { throw CancellationError() }
        if Task.isCancelled {
            leave(succeeded: false)
            throw CancellationError()
        }
    }

    package func leave(succeeded: Bool) {
        running -= 1
        if succeeded {
            successes += 1
            if successes >= limit, limit < maximum {
                limit += 1
                successes = 0
            }
        }
        admit()
    }

    package func throttle(at now: ContinuousClock.Instant = .now) {
        if let lastCut, now - lastCut < .seconds(1) { return }
        lastCut = now
        successes = 0
        limit = max(1, limit / 2)
    }

    private func admit() {
        while running < limit, !waiting.isEmpty {
            running += 1
            waiting.removeFirst().continuation.resume(returning: true)
        }
    }

    private func giveUp(_ id: Int) {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting.remove(at: index).continuation.resume(returning: false)
    }
}
