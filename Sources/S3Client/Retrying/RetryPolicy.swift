/// How often and how long a request is tried again.
public struct RetryPolicy: Sendable, Equatable {
    /// Tries in all, the first among them.
    public var attempts = 10
    /// The first pause lasts up to this, each further one up to twice the last.
    public var basePause = Duration.milliseconds(100)
    /// The same where the server asks for less.
    public var throttledPause = Duration.seconds(1)
    /// No pause is longer, unless the server asks for one.
    public var longestPause = Duration.seconds(20)
    /// For all tries of one request together.
    public var deadline = Duration.seconds(1_800)

    /// Ten tries within half an hour.
    public init() {}

    /// Full jitter: anything from nothing to the doubled bound.
    /// Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    ///
    /// - Parameter random: from 0 up to 1.
    public func pause(afterAttempt attempt: Int, throttled: Bool, serverAsks: Duration?, random: Double) -> Duration {
        let base = throttled ? throttledPause : basePause
        let bound = min(longestPause, base * (1 << (min(max(attempt, 1), 21) - 1)))
        let pause = bound * random
        guard let serverAsks else { return pause }
        return max(pause, min(serverAsks, longestPause * 3))
    }
}
