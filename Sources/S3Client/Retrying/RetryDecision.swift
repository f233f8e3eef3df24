/// What to do about a failed try: a pure function of the failure and of what was tried before.
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
package enum RetryDecision: Equatable, Sendable {
    case fail
    case retry(throttled: Bool)
    /// Ask for credentials anew, and sign again.
    case refreshCredentials
    /// The server's clock is ahead by so many seconds (behind: less than nothing).
    case correctClock(Int64)
    case changeRegion(String)

    /// What was already done for this request; each cure is tried once, a spoiled body twice.
    package struct History: Equatable, Sendable {
        package var attempts = 1
        package var refreshedCredentials = false
        package var correctedClock = false
        package var changedRegion = false
        package var badDigests = 0

        package init() {}
    }

    /// The facts of a failure that decide.
    package struct Failure: Equatable, Sendable {
        package var error: S3Error
        /// The server's `Date` less the one that was sent, in seconds; nil where no answer came.
        package var clockDifference: Int64?
        /// HEAD has no body, so that its errors have no code.
        package var hasNoBody = false
        /// It may mean that the server asks for fewer requests: a 403 without a body, of a provider that says so by 403.
        package var mayBeThrottled = false
        /// `Retry-After`, where the server sent one.
        package var serverAsks: Duration?

        package init(error: S3Error) { self.error = error }
    }

    /// Beyond this a clock is off (Amazon bears 15 minutes, others less).
    package static let bearableClockDifference: Int64 = 300

    package static let attemptsWhereThrottlingIsAGuess = 5

    package static func decide(
        _ failure: Failure, history: History, policy: RetryPolicy, region: String
    ) -> RetryDecision {
        guard history.attempts < policy.attempts else { return .fail }
        let error = failure.error
        switch error.kind {
        case .transport: return .retry(throttled: false)
        case .malformedAnswer: return .retry(throttled: false)
        case .service: break
        default: return .fail
        }
        let code = error.code ?? ""
        if let region = otherRegion(error, than: region), !history.changedRegion { return .changeRegion(region) }
        if isAboutClock(code, failure), !history.correctedClock, let difference = failure.clockDifference,
            abs(difference) > bearableClockDifference
        {
            return .correctClock(difference)
        }
        if expiredCredentials.contains(code) { return history.refreshedCredentials ? .fail : .refreshCredentials }
        if spoiledBodyCodes.contains(code) {
            return history.badDigests < 2 ? .retry(throttled: false) : .fail
        }
        if isThrottling(error) { return .retry(throttled: true) }
        if failure.mayBeThrottled, history.attempts < attemptsWhereThrottlingIsAGuess { return .retry(throttled: true) }
        if let status = error.status, lastingStatuses.contains(status), !code.isEmpty, lastingCodes.contains(code) {
            return .fail
        }
        if passingCodes.contains(code) { return .retry(throttled: false) }
        if let status = error.status, passingStatuses.contains(status) || (520...527).contains(status) {
            return .retry(throttled: false)
        }
        return .fail
    }

    /// Whether the server asks for fewer requests.
    package static func isThrottling(_ error: S3Error) -> Bool {
        if let code = error.code {
            let isThrottled = throttlingCodes.contains(code) || code.hasPrefix("SlowDown") || code.hasPrefix("Throttl")
            if isThrottled { return true }
        }
        return error.status == 429 || error.status == 509 || (error.status == 503 && error.code == nil)
    }

    private static func otherRegion(_ error: S3Error, than region: String) -> String? {
        guard let other = error.region, other != region, !other.isEmpty, let status = error.status else { return nil }
        if [301, 302, 307].contains(status) { return other }
        if redirectingCodes.contains(error.code ?? "") { return other }
        return status == 400 && error.code == nil ? other : nil
    }

    private static func isAboutClock(_ code: String, _ failure: Failure) -> Bool {
        if clockCodes.contains(code) { return true }
        return failure.hasNoBody && [400, 403].contains(failure.error.status ?? 0)
    }

    private static let expiredCredentials: Set<String> = ["ExpiredToken", "ExpiredTokenException", "InvalidToken"]
    private static let redirectingCodes: Set<String> = [
        "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
        "Redirect",
    ]
    /// What arrived is not what was sent.
    package static let spoiledBodyCodes: Set<String> = [
        "BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch",
    ]
    private static let clockCodes: Set<String> = [
        "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "SignatureDoesNotMatch",
    ]
    private static let throttlingCodes: Set<String> = [
        "RequestLimitExceeded", "RequestRateLimitExceeded", "BandwidthLimitExceeded", "TooManyRequests",
        "ServiceUnavailable", "Busy", "ProvisionedThroughputExceededException", "PriorRequestNotComplete",
    ]
    private static let passingCodes: Set<String> = [
        "RequestTimeout", "RequestTimeoutException", "InternalError", "OperationAborted", "ConditionalRequestConflict",
        "IncompleteBody",
    ]
    /// Named errors that come with a status which would otherwise be tried again.
    private static let lastingStatuses: Set<Int> = [409, 500, 501]
    private static let lastingCodes: Set<String> = ["NotImplemented", "BucketAlreadyExists", "BucketAlreadyOwnedByYou"]
    private static let passingStatuses: Set<Int> = [408, 429, 499, 500, 502, 503, 504, 509]
}
