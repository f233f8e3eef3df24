import S3Client
import Testing

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy()

    @Test(
        "A pause lasts anything up to a bound that doubles, to 20 seconds",
        arguments: [(1, 100), (2, 200), (3, 400), (7, 6_400), (8, 12_800), (9, 20_000), (10, 20_000), (1_000, 20_000)])
    func bounds(_ attempt: Int, _ milliseconds: Int) {
        func pause(_ random: Double) -> Duration {
            policy.pause(afterAttempt: attempt, throttled: false, serverAsks: nil, random: random)
        }
        #expect(pause(0) == .zero)
        #expect(pause(0.5) == .milliseconds(milliseconds) / 2)
        #expect(pause(0.999_999) <= .milliseconds(milliseconds))
        #expect(pause(0.999_999) > .milliseconds(milliseconds) * 0.99)
    }

    @Test("Where the server asks for less, the first bound is a second")
    func throttled() {
        #expect(policy.pause(afterAttempt: 1, throttled: true, serverAsks: nil, random: 0.5) == .milliseconds(500))
        #expect(policy.pause(afterAttempt: 2, throttled: true, serverAsks: nil, random: 0.5) == .seconds(1))
    }

    @Test("The server's own wish is a least, up to a minute")
    func serverAsks() {
        func pause(_ wish: Duration, _ random: Double) -> Duration {
            policy.pause(afterAttempt: 1, throttled: true, serverAsks: wish, random: random)
        }
        #expect(pause(.seconds(3), 0) == .seconds(3))
        #expect(pause(.milliseconds(10), 0.5) == .milliseconds(500))
        #expect(pause(.seconds(3_600), 0.5) == .seconds(60))
    }

    @Test("Attempts of no sense are no trap", arguments: [Int.min, -1, 0, Int.max])
    func oddAttempts(_ attempt: Int) {
        let pause = policy.pause(afterAttempt: attempt, throttled: true, serverAsks: nil, random: 0.5)
        #expect(pause >= .zero)
        #expect(pause <= .seconds(20))
    }
}
