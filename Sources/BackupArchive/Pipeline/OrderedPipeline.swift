internal import BackupCore
internal import Foundation

/// A producer, some workers, and a consumer that gets everything in the producer's order.
///
/// A fixed ring of slots, used again and again, is all the memory there is; a full ring makes the producer wait. One
/// thread produces, one consumes. The first failure of any side ends the whole pipeline: every other side's next call
/// throws it.
final class OrderedPipeline<Slot: AnyObject & Sendable>: @unchecked Sendable {
    private enum State { case free, filled, working, done }

    private let monitor = Monitor()
    private let slots: [Slot]
    private var states: [State]
    /// Slots handed out to the producer, given to workers, and given back by the consumer, so far.
    private var produced = 0
    private var taken = 0
    private var consumed = 0
    private var ended = false
    private var failure: (any Error)?
    private var runningThreads = 0

    init(slots: [Slot], workers: Int, work: @escaping @Sendable (_ worker: Int, _ slot: Slot) throws -> Void) {
        self.slots = slots
        states = Array(repeating: .free, count: slots.count)
        for worker in 0..<workers {
            startThread(named: "worker") { [unowned self] in
                while let index = self.takeFilled() {
                    do {
                        try work(worker, self.slots[index])
                        self.monitor.locked {
                            self.states[index] = .done
                            // Whose turn it is not yet need not know.
                            if index == self.consumed % self.slots.count { self.monitor.wake(.consumer) }
                        }
                    } catch {
                        self.fail(error)
                    }
                }
            }
        }
    }

    /// Starts a thread that ``stop()`` waits for.
    func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
        monitor.locked { runningThreads += 1 }
        let thread = Thread { [self] in
            body()
            monitor.locked {
                runningThreads -= 1
                monitor.wake(.owner)
            }
        }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    // MARK: The producer

    /// The next slot to fill; waits for one.
    func nextFree() throws -> Slot {
        try monitor.locked {
            let index = produced % slots.count
            while failure == nil, states[index] != .free { monitor.wait(as: .producer) }
            if let failure { throw failure }
            return slots[index]
        }
    }

    /// Hands on the slot that ``nextFree()`` gave last.
    func submit() {
        monitor.locked {
            states[produced % slots.count] = .filled
            produced += 1
            monitor.wake(.worker)
        }
    }

    /// Waits until the consumer has given everything back.
    func drain() throws {
        try monitor.locked {
            while failure == nil, consumed < produced { monitor.wait(as: .producer) }
            if let failure { throw failure }
        }
    }

    func endOfInput() {
        monitor.locked {
            ended = true
            monitor.wakeAll()
        }
    }

    // MARK: The consumer

    /// The next slot in order, its work done; nil behind the last one.
    func nextDone() throws -> Slot? {
        try monitor.locked {
            let index = consumed % slots.count
            while failure == nil, states[index] != .done, !(ended && consumed == produced) {
                monitor.wait(as: .consumer)
            }
            if let failure { throw failure }
            return states[index] == .done ? slots[index] : nil
        }
    }

    /// Gives back the slot that ``nextDone()`` gave last.
    func release() {
        monitor.locked {
            states[consumed % slots.count] = .free
            consumed += 1
            monitor.wake(.producer)
        }
    }

    // MARK: Both

    func fail(_ error: any Error) {
        monitor.locked {
            if failure == nil { failure = error }
            monitor.wakeAll()
        }
    }

    /// Ends all threads and waits for them. What is still in the ring is dropped.
    func stop() {
        monitor.locked {
            if failure == nil { failure = BackupError(.cancelled, "stopped") }
            monitor.wakeAll()
            while runningThreads > 0 { monitor.wait(as: .owner) }
        }
    }

    private func takeFilled() -> Int? {
        monitor.locked {
            while failure == nil, taken == produced, !ended { monitor.wait(as: .worker) }
            guard failure == nil, taken < produced else { return nil }
            let index = taken % slots.count
            taken += 1
            states[index] = .working
            return index
        }
    }
}
