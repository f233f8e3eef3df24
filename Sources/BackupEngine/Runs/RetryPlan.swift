package import BackupCore

/// Whether a run that failed is begun anew, and how long it waits before: values in, values out.
///
/// What is of the moment by its own account (a standby that had to go on) is tried twice more for every job, after 1 s and
/// 2 s. Anything else that may pass is tried as often as the job says.
package struct RetryPlan {
    package static let longestPause = Duration.seconds(600)

    private var transientLeft = 2
    private var retriesLeft: Int
    private var retriesMade = 0
    private let base: Duration

    package init(retries: Int, base: Duration) {
        retriesLeft = retries
        self.base = base
    }

    /// The pause before the next attempt; nil where there is none.
    ///
    /// - Parameter jitter: from 0 to 1: jobs that failed together are not to come back together. The pause is between half
    ///   and all of `base`, doubled for each retry, 10 minutes at most.
    package mutating func pause(after error: BackupError, jitter: Double) -> Duration? {
        if error.isTransient, transientLeft > 0 {
            transientLeft -= 1
            return .seconds(transientLeft == 1 ? 1 : 2)
        }
        guard retriesLeft > 0, RetryPlan.mayPass(error) else { return nil }
        retriesLeft -= 1
        let whole = min(base * (1 << min(retriesMade, 10)), RetryPlan.longestPause)
        retriesMade += 1
        return whole * (0.5 + jitter / 2)
    }

    /// What is wrong with the request, the configuration or this program stays wrong.
    private static func mayPass(_ error: BackupError) -> Bool {
        switch error.code {
        case .source, .storage, .damaged, .remote, .catalog, .target, .retained: true
        case .usage, .configuration, .notFound, .taken, .forbidden, .unsupported, .locked, .cancelled, .internal: false
        }
    }
}
