internal import BackupCore
internal import Synchronization

/// How often someone may ask: a bucket of tokens for each, of which a request takes one, and which fills evenly.
package final class RateLimiter: Sendable {
    /// Requests per minute; 0 for no limit.
    private let limit: Int
    /// How many may come at once.
    private let burst: Double

    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    /// Who is forgotten begins with a full bucket, so that the table may be small.
    private let buckets: Mutex<BoundedTable<String, Bucket>>

    /// - Parameter limit: requests per minute, of which a quarter may come at once; 0 for no limit.
    package init(limit: Int, capacity: Int = 10_000) {
        self.limit = limit
        burst = max(1, Double(limit) / 4)
        buckets = Mutex(BoundedTable(capacity: capacity))
    }

    /// Counts a request.
    ///
    /// - Returns: nil where it may pass; else in how many seconds the next one may.
    package func wait(_ key: String, at now: ContinuousClock.Instant = .now) -> Int? {
        guard limit > 0 else { return nil }
        let rate = Double(limit) / 60
        return buckets.withLock { buckets in
            var bucket = buckets[key: key] ?? Bucket(tokens: burst, at: now)
            bucket.tokens = min(burst, bucket.tokens + max(0, (now - bucket.at) / .seconds(1)) * rate)
            bucket.at = now
            let isLet = bucket.tokens >= 1
            if isLet { bucket.tokens -= 1 }
            buckets[key: key] = bucket
            return isLet ? nil : max(1, Int(((1 - bucket.tokens) / rate).rounded(.up)))
        }
    }
}
