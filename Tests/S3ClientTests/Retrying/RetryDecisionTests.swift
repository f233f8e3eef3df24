import S3Client
import Testing

@Suite struct RetryDecisionTests {
    private func decide(
        _ status: Int?, _ code: String?, kind: S3Error.Kind = .service, region: String? = nil,
        change: (inout RetryDecision.Failure, inout RetryDecision.History) -> Void = { _, _ in }
    ) -> RetryDecision {
        var failure = RetryDecision.Failure(error: S3Error(kind, "", status: status, code: code, region: region))
        var history = RetryDecision.History()
        change(&failure, &history)
        return RetryDecision.decide(failure, history: history, policy: RetryPolicy(), region: "us-east-1")
    }

    @Test("Statuses without a code that pass are tried again", arguments: [408, 499, 500, 502, 504, 520, 523, 527])
    func passingStatus(_ status: Int) { #expect(decide(status, nil) == .retry(throttled: false)) }

    @Test("Statuses without a code that ask for less are tried again, with fewer requests", arguments: [429, 503, 509])
    func throttlingStatus(_ status: Int) { #expect(decide(status, nil) == .retry(throttled: true)) }

    @Test(
        "Statuses without a code that last",
        arguments: [301, 400, 401, 403, 404, 405, 409, 411, 412, 416, 501, 505, 528])
    func lastingStatus(_ status: Int) { #expect(decide(status, nil) == .fail) }

    @Test(
        "Codes that ask for less, whatever the status",
        arguments: [
            (503, "SlowDown"), (503, "SlowDownRead"), (503, "SlowDownWrite"), (400, "Throttling"),
            (400, "ThrottlingException"),
            (400, "ThrottledException"), (503, "RequestLimitExceeded"), (403, "RequestRateLimitExceeded"),
            (429, "TooManyRequests"), (503, "ServiceUnavailable"), (200, "SlowDown"), (503, "Busy"),
        ])
    func throttlingCode(_ status: Int, _ code: String) { #expect(decide(status, code) == .retry(throttled: true)) }

    @Test(
        "Codes that pass",
        arguments: [
            (400, "RequestTimeout"), (500, "InternalError"), (409, "OperationAborted"),
            (409, "ConditionalRequestConflict"),
            (400, "IncompleteBody"), (nil, "InternalError"),
        ] as [(Int?, String)])
    func passingCode(_ status: Int?, _ code: String) { #expect(decide(status, code) == .retry(throttled: false)) }

    @Test(
        "Codes that last",
        arguments: [
            (403, "AccessDenied"), (404, "NoSuchBucket"), (404, "NoSuchKey"), (404, "NoSuchUpload"),
            (403, "InvalidAccessKeyId"), (403, "SignatureDoesNotMatch"), (400, "EntityTooSmall"), (400, "InvalidPart"),
            (412, "PreconditionFailed"), (403, "InvalidObjectState"), (409, "BucketNotEmpty"), (501, "NotImplemented"),
            (500, "NotImplemented"), (409, "BucketAlreadyExists"), (403, "QuotaExceeded"), (400, "InvalidArgument"),
            (403, "RequestTimeTooSkewed"),
        ])
    func lastingCode(_ status: Int, _ code: String) { #expect(decide(status, code) == .fail) }

    @Test(
        "Kinds: what the connection or the answer spoils is tried again, what is wrong here is not",
        arguments: S3Error.Kind.allCases)
    func kinds(_ kind: S3Error.Kind) {
        let isPassing = kind == .transport || kind == .malformedAnswer
        #expect(decide(nil, nil, kind: kind) == (isPassing ? .retry(throttled: false) : .fail))
    }

    @Test("Ten tries, and no more")
    func attempts() {
        #expect(decide(503, nil) { $1.attempts = 9 } == .retry(throttled: true))
        #expect(decide(503, nil) { $1.attempts = 10 } == .fail)
        #expect(decide(nil, nil, kind: .transport) { $1.attempts = 10 } == .fail)
    }

    @Test(
        "Credentials that expired are asked for once",
        arguments: ["ExpiredToken", "ExpiredTokenException", "InvalidToken"])
    func expired(_ code: String) {
        #expect(decide(400, code) == .refreshCredentials)
        #expect(decide(400, code) { $1.refreshedCredentials = true } == .fail)
    }

    @Test(
        "A spoiled body is sent three times",
        arguments: ["BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"])
    func spoiled(_ code: String) {
        #expect(decide(400, code) == .retry(throttled: false))
        #expect(decide(400, code) { $1.badDigests = 1 } == .retry(throttled: false))
        #expect(decide(400, code) { $1.badDigests = 2 } == .fail)
    }

    @Test(
        "A clock that is off by more than five minutes is corrected once",
        arguments: ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "SignatureDoesNotMatch"],
        [301, -301, 3_600] as [Int64])
    func clock(_ code: String, _ difference: Int64) {
        #expect(
            decide(403, code) {
                $0.clockDifference = difference; _ = $1
            } == .correctClock(difference))
        #expect(
            decide(403, code) {
                $0.clockDifference = 300; _ = $1
            } == .fail)
        let corrected = decide(403, code) { failure, history in
            failure.clockDifference = difference
            history.correctedClock = true
        }
        #expect(corrected == .fail)
    }

    @Test("HEAD's refusals have no code: the clock tells", arguments: [400, 403])
    func headClock(_ status: Int) {
        #expect(
            decide(status, nil) { failure, _ in
                failure.clockDifference = 900
                failure.hasNoBody = true
            } == .correctClock(900))
        #expect(decide(status, nil) { failure, _ in failure.clockDifference = 900 } == .fail)
        #expect(
            decide(404, nil) { failure, _ in
                failure.clockDifference = 900
                failure.hasNoBody = true
            } == .fail)
    }

    @Test("A 403 that may be a limit is tried three times")
    func guessedThrottling() {
        #expect(decide(403, nil) { failure, _ in failure.mayBeThrottled = true } == .retry(throttled: true))
        #expect(
            decide(403, nil) { failure, history in
                failure.mayBeThrottled = true
                history.attempts = 5
            } == .fail)
    }

    @Test(
        "Another region is asked once",
        arguments: [
            (301, "PermanentRedirect"), (307, "TemporaryRedirect"), (400, "AuthorizationHeaderMalformed"),
            (400, "IllegalLocationConstraintException"), (301, nil), (302, nil), (307, nil), (400, nil),
        ] as [(Int, String?)])
    func region(_ status: Int, _ code: String?) {
        #expect(decide(status, code, region: "eu-west-1") == .changeRegion("eu-west-1"))
        #expect(decide(status, code, region: "eu-west-1") { $1.changedRegion = true } == .fail)
        #expect(decide(status, code, region: "us-east-1") == .fail)
        #expect(decide(status, code, region: "") == .fail)
    }

    @Test("A region in a refusal that is about something else changes nothing")
    func regionOfARefusal() {
        #expect(decide(403, "AccessDenied", region: "eu-west-1") == .fail)
        #expect(decide(404, "NoSuchKey", region: "eu-west-1") == .fail)
        #expect(decide(503, "SlowDown", region: "eu-west-1") == .retry(throttled: true))
    }
}
