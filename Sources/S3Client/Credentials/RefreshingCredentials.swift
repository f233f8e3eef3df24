/// Keeps what a source gave for as long as it is good, and asks the source again in time, once for all who wait.
///
/// 15 minutes before the end it asks but goes on with the old ones where the source fails; 10 minutes before the end, or
/// after ``invalidate()``, it needs new ones. Of credentials that live for less than 40 minutes it takes half and a
/// quarter of their life instead.
package actor RefreshingCredentials: CredentialsProvider {
    private struct Kept {
        var credentials: Credentials
        /// From when on new ones are wanted, and from when on they are needed; nil where they do not expire.
        var deadlines: (wanted: Double, needed: Double)?
    }

    /// How long a failed fetch is not repeated while the old ones are still good; in seconds.
    private static let pauseAfterFailure = 60.0

    private let source: any CredentialsSource
    private let now: @Sendable () -> Double
    private var kept: Kept?
    /// Shared by all who wait. Each of them awaits it, so it never outlives them.
    private var fetching: Task<Credentials, any Error>?
    private var failedAt: Double?

    package init(_ source: any CredentialsSource, now: @escaping @Sendable () -> Double) {
        self.source = source
        self.now = now
    }

    package func credentials() async throws -> Credentials {
        while true {
            guard !Task.isCancelled else {
                throw S3Error(.cancelled, "cancelled while credentials were fetched")
            }
            let stillGood = goodCredentials()
            if let stillGood, !isFetchWanted() { return stillGood }
            let task = fetching ?? startFetching()
            // One caller's cancellation must end its wait at once; the others, if any, start over.
            let result = await withTaskCancellationHandler {
                await task.result
            } onCancel: {
                task.cancel()
            }
            finish(task, result)
            switch result {
            case .success(let credentials): return credentials
            case .failure(let error):
                if task.isCancelled { continue }
                if let stillGood { return stillGood }
                throw error
            }
        }
    }

    package func invalidate(_ refused: Credentials?) {
        // Many requests may be refused together; one of them makes room for new credentials.
        if let refused, let kept, kept.credentials != refused { return }
        kept = nil
        failedAt = nil
    }

    private func goodCredentials() -> Credentials? {
        guard let kept else { return nil }
        if let deadlines = kept.deadlines, now() >= deadlines.needed { return nil }
        return kept.credentials
    }

    private func isFetchWanted() -> Bool {
        guard let deadlines = kept?.deadlines, now() >= deadlines.wanted else { return false }
        return failedAt.map { now() - $0 >= Self.pauseAfterFailure } ?? true
    }

    private func startFetching() -> Task<Credentials, any Error> {
        let source = source
        let task = Task { try await source.fetch().checked() as Credentials }
        fetching = task
        return task
    }

    /// Called by each who waited; the first one's call counts.
    private func finish(_ task: Task<Credentials, any Error>, _ result: Result<Credentials, any Error>) {
        guard fetching == task else { return }
        fetching = nil
        switch result {
        case .success(let credentials):
            kept = Kept(credentials: credentials, deadlines: credentials.expiration.map(deadlines))
            failedAt = nil
        case .failure:
            if !task.isCancelled { failedAt = now() }
        }
    }

    private func deadlines(expiration: Double) -> (wanted: Double, needed: Double) {
        let now = now()
        let life = expiration - now
        // Expired on arrival: a metadata service that lags, or this machine's clock. The server may still take them.
        guard life > 0 else { return (now + Self.pauseAfterFailure, now + Self.pauseAfterFailure) }
        return (expiration - min(15 * 60, life / 2), expiration - min(10 * 60, life / 4))
    }
}
