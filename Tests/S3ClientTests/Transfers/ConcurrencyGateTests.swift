import S3Client
import Testing

@Suite struct ConcurrencyGateTests {
    @Test("Throttling halves at most once a second, down to one")
    func throttling() async {
        let gate = ConcurrencyGate(initial: 8, maximum: 16)
        let start = ContinuousClock.now
        var limits: [Int] = []
        for milliseconds in [0, 10, 999, 1_000, 1_500, 2_000, 3_000, 4_000] {
            await gate.throttle(at: start + .milliseconds(milliseconds))
            limits.append(await gate.limit)
        }
        #expect(limits == [4, 4, 4, 2, 2, 1, 1, 1])
    }

    @Test("A round that went well allows one more, up to the most")
    func growth() async throws {
        let gate = ConcurrencyGate(initial: 2, maximum: 4)
        var limits: [Int] = []
        for _ in 0..<10 {
            try await gate.enter()
            await gate.leave(succeeded: true)
            limits.append(await gate.limit)
        }
        #expect(limits == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4])
        try await gate.enter()
        await gate.leave(succeeded: false)
        #expect(await gate.limit == 4)
    }

    @Test("Limits of no sense become one", arguments: [(0, 0), (-5, 3), (100, 2)])
    func oddLimits(_ initial: Int, _ maximum: Int) async {
        let limit = await ConcurrencyGate(initial: initial, maximum: maximum).limit
        #expect(limit == min(max(initial, 1), max(maximum, 1)))
    }

    @Test("Never more than the limit are inside, and all get in")
    func bound() async throws {
        let gate = ConcurrencyGate(initial: 3, maximum: 3)
        let inside = Peak()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await gate.enter()
                    inside.add(1)
                    await Task.yield()
                    inside.remove(1)
                    await gate.leave(succeeded: false)
                }
            }
            try await group.waitForAll()
        }
        #expect(inside.times == 200)
        #expect(inside.most <= 3)
    }

    @Test("Who is cancelled while it waits leaves, and takes no place")
    func cancellation() async throws {
        let gate = ConcurrencyGate(initial: 1, maximum: 1)
        try await gate.enter()
        let waiting = (0..<50).map { _ in Task { try await gate.enter() } }
        await Task.yield()
        for task in waiting { task.cancel() }
        for task in waiting { await #expect(throws: CancellationError.self) { try await task.value } }
        await gate.leave(succeeded: false)
        try await gate.enter()
        await gate.leave(succeeded: false)
    }
}
