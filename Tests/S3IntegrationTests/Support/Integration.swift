import Testing

/// All tests that need servers. Without them they are left out, and fail where nobody may leave them out.
@Suite(
    .enabled(
        if: TestEnvironment.isComplete || TestEnvironment.isContinuousIntegration,
        Comment(rawValue: TestEnvironment.whatToDo)),
    .servers)
struct Integration {}

/// Fails a test where the servers are missing, and runs a few tests at a time: a hundred at once would starve each
/// other of the time that their timeouts allow.
struct ServersTrait: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard TestEnvironment.isComplete else {
            Issue.record(Comment(rawValue: TestEnvironment.whatToDo))
            return
        }
        await Turnstile.shared.enter()
        do {
            try await function()
            await Turnstile.shared.leave()
        } catch {
            await Turnstile.shared.leave()
            throw error
        }
    }
}

extension Trait where Self == ServersTrait {
    static var servers: Self { ServersTrait() }
}

/// Lets some through at a time, first come, first served.
actor Turnstile {
    static let shared = Turnstile(4)
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ places: Int) { free = places }

    func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        guard waiting.isEmpty else { return waiting.removeFirst().resume() }
        free += 1
    }
}
