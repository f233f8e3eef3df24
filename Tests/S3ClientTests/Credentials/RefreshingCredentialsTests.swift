import S3Client
import Synchronization
import Testing

@Suite struct RefreshingCredentialsTests {
    /// Gives numbered credentials that live for a while, or fails, as a test says; may be made to wait.
    private final class Source: CredentialsSource {
        private struct State {
            var fetches = 0
            var life: Double?
            var isFailing = false
        }

        private let state: Mutex<State>
        private let clock: ManualClock
        private let gate: (@Sendable () async throws(S3Error) -> Void)?

        init(_ clock: ManualClock, life: Double?, gate: (@Sendable () async throws(S3Error) -> Void)? = nil) {
            self.clock = clock
            self.gate = gate
            state = Mutex(State(life: life))
        }

        var fetches: Int { state.withLock { $0.fetches } }
        func fail(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }

        func fetch() async throws(S3Error) -> Credentials {
            let now = state.withLock { state in
                state.fetches += 1
                return state
            }
            try await gate?()
            if now.isFailing { throw S3Error(.credentials, "no answer") }
            return Credentials(
                accessKeyID: "KEY\(now.fetches)", secretAccessKey: "s", expiration: now.life.map { clock.now + $0 },
                source: "test")
        }
    }

    private func keyID(_ provider: RefreshingCredentials) async throws -> String {
        try await provider.credentials().accessKeyID
    }

    @Test("An hour's credentials are kept for 45 minutes, then fetched anew")
    func advisory() async throws {
        let clock = ManualClock()
        let source = Source(clock, life: 3600)
        let provider = RefreshingCredentials(source, now: { clock.now })
        #expect(try await keyID(provider) == "KEY1")
        clock.advance(by: 44 * 60 + 59)
        #expect(try await keyID(provider) == "KEY1")
        #expect(source.fetches == 1)
        clock.advance(by: 1)
        #expect(try await keyID(provider) == "KEY2")
    }

    @Test("A source that fails is bridged until 10 minutes before the end, and asked once a minute")
    func bridged() async throws {
        let clock = ManualClock()
        let source = Source(clock, life: 3600)
        let provider = RefreshingCredentials(source, now: { clock.now })
        #expect(try await keyID(provider) == "KEY1")
        source.fail(true)
        clock.advance(by: 45 * 60)
        for _ in 0..<10 { #expect(try await keyID(provider) == "KEY1") }
        #expect(source.fetches == 2)
        clock.advance(by: 60)
        #expect(try await keyID(provider) == "KEY1")
        #expect(source.fetches == 3)
        clock.advance(by: 4 * 60 - 1)
        #expect(try await keyID(provider) == "KEY1")
        clock.advance(by: 1)
        await #expect(throws: S3Error.self) { try await provider.credentials() }
        source.fail(false)
        #expect(try await keyID(provider) == "KEY\(source.fetches)")
    }

    @Test("Short lives are kept for half, and bridged to three quarters")
    func shortLife() async throws {
        let clock = ManualClock()
        let source = Source(clock, life: 100)
        let provider = RefreshingCredentials(source, now: { clock.now })
        #expect(try await keyID(provider) == "KEY1")
        clock.advance(by: 49)
        #expect(try await keyID(provider) == "KEY1")
        source.fail(true)
        clock.advance(by: 25)
        #expect(try await keyID(provider) == "KEY1")
        clock.advance(by: 1)
        await #expect(throws: S3Error.self) { try await provider.credentials() }
    }

    @Test("What is expired on arrival is used, and asked for again after a minute")
    func expiredOnArrival() async throws {
        let clock = ManualClock()
        let source = Source(clock, life: -5)
        let provider = RefreshingCredentials(source, now: { clock.now })
        #expect(try await keyID(provider) == "KEY1")
        #expect(try await keyID(provider) == "KEY1")
        clock.advance(by: 60)
        #expect(try await keyID(provider) == "KEY2")
    }

    @Test("What does not expire is fetched once, until a server calls it expired")
    func invalidation() async throws {
        let clock = ManualClock()
        let source = Source(clock, life: nil)
        let provider = RefreshingCredentials(source, now: { clock.now })
        #expect(try await keyID(provider) == "KEY1")
        clock.advance(by: 1e9)
        #expect(try await keyID(provider) == "KEY1")
        await provider.invalidate(nil)
        #expect(try await keyID(provider) == "KEY2")
        source.fail(true)
        await provider.invalidate(nil)
        await #expect(throws: S3Error.self) { try await provider.credentials() }
    }

    @Test("100 callers share one fetch, and one failure")
    func sharing() async throws {
        let clock = ManualClock()
        let (stream, opener) = AsyncStream.makeStream(of: Void.self)
        let source = Source(clock, life: 3600) { () async throws(S3Error) in for await _ in stream { break } }
        let provider = RefreshingCredentials(source, now: { clock.now })
        let waiting = Tally()
        let identifiers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    waiting.add()
                    return try await provider.credentials().accessKeyID
                }
            }
            while waiting.count < 100 { await Task.yield() }
            opener.finish()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(identifiers == [String](repeating: "KEY1", count: 100))
        #expect(source.fetches == 1)
    }

    @Test("A caller that is cancelled leaves at once, and the others still get theirs")
    func cancellation() async throws {
        let clock = ManualClock()
        let opened = Tally()
        let source = Source(clock, life: 3600) { () async throws(S3Error) in
            while opened.count == 0 {
                if Task.isCancelled { throw S3Error(.cancelled, "") }
                await Task.yield()
            }
        }
        let provider = RefreshingCredentials(source, now: { clock.now })
        let first = Task { try await provider.credentials() }
        while source.fetches < 1 { await Task.yield() }
        async let second = provider.credentials()
        first.cancel()
        let error = await #expect(throws: S3Error.self) { try await first.value }
        #expect(error?.kind == .cancelled)
        opened.add()
        #expect(try await second.accessKeyID.hasPrefix("KEY") == true)
    }

    @Test(
        "Keys that no header can carry are refused, without being shown",
        arguments: ["", "SECRET\n", "SEC RET", "SÉCRET"])
    func unsendable(_ text: String) async {
        let given = [
            Credentials(accessKeyID: text, secretAccessKey: "s", source: "test"),
            Credentials(accessKeyID: "k", secretAccessKey: text, source: "test"),
            Credentials(accessKeyID: "k", secretAccessKey: "s", sessionToken: text, source: "test"),
        ]
        for credentials in given {
            let error = await #expect(throws: S3Error.self) {
                try await StaticCredentials(credentials).credentials()
            }
            #expect(error?.message.contains("from test") == true)
            #expect(text.isEmpty || error?.message.contains(text) == false)
        }
    }
}
