internal import Logging
internal import NIOCore

extension S3Client {
    /// Runs one operation: signs it, sends it, and tries it again where that may help.
    ///
    /// - Returns: an answer with a status below 300.
    ///
    /// - Parameter digests: of the body, where they are known (``digests(of:)``).
    func execute(_ request: S3Request, _ digests: ContentDigests? = nil) async throws -> HTTPAnswer {
        try check(request)
        let digests =
            if let digests { digests } else {
                try await BodyDigests.compute(request.body, algorithms(for: request.bodyGuard))
            }
        let started = ContinuousClock.now
        let policy = configuration.retry
        var history = RetryDecision.History()
        while true {
            let region = signingRegion(for: request.bucket)
            let failure: RetryDecision.Failure
            let credentials = try await configuration.credentials.credentials()
            do {
                let answer = try await attempt(
                    request, digests, credentials, region: region, deadline: started + policy.deadline)
                guard let found = problem(in: answer, of: request) else { return answer }
                failure = found
            } catch let error as S3Error {
                failure = RetryDecision.Failure(error: error.located(request))
            }
            let wasLost = failure.error.kind == .transport || failure.error.kind == .malformedAnswer
            if wasLost, !request.repeatsAfterLostAnswer { throw failure.error }
            let decision = RetryDecision.decide(failure, history: history, policy: policy, region: region)
            guard
                try await prepare(
                    for: decision, after: failure, request, credentials, &history, since: started)
            else {
                throw failure.error.explained(failure, configuration.endpoint.scheme)
            }
            history.attempts += 1
        }
    }

    /// Does what a decision says; false where the operation has failed.
    private func prepare(
        for decision: RetryDecision, after failure: RetryDecision.Failure, _ request: S3Request,
        _ credentials: Credentials, _ history: inout RetryDecision.History, since started: ContinuousClock.Instant
    ) async throws -> Bool {
        configuration.logger?.debug(
            "a request failed",
            metadata: [
                "s3.error": "\(failure.error)", "s3.decision": "\(decision)", "s3.attempt": "\(history.attempts)",
            ])
        switch decision {
        case .fail:
            return false
        case .retry(let throttled):
            if throttled { request.throttled?() }
            if RetryDecision.spoiledBodyCodes.contains(failure.error.code ?? "") { history.badDigests += 1 }
            let pause = configuration.retry.pause(
                afterAttempt: history.attempts, throttled: throttled, serverAsks: failure.serverAsks,
                random: Double.random(in: 0..<1))
            guard ContinuousClock.now + pause < started + configuration.retry.deadline else { return false }
            try await Task.sleep(for: pause)
        case .refreshCredentials:
            history.refreshedCredentials = true
            await configuration.credentials.invalidate(credentials)
        case .correctClock(let difference):
            history.correctedClock = true
            memory.clockDifference += difference
        case .changeRegion(let region):
            history.changedRegion = true
            memory.learn(region: region, of: request.bucket)
        }
        return true
    }

    /// What is wrong with an answer; nil where nothing is.
    private func problem(in answer: HTTPAnswer, of request: S3Request) -> RetryDecision.Failure? {
        var failure: RetryDecision.Failure
        if answer.status >= 300 || answer.status < 200 {
            failure = RetryDecision.Failure(error: ErrorAnswer.error(answer, of: request))
        } else if let hidden = ErrorAnswer.hiddenError(answer, of: request) {
            failure = RetryDecision.Failure(error: hidden)
        } else {
            return nil
        }
        failure.hasNoBody = request.method == "HEAD"
        failure.mayBeThrottled =
            failure.hasNoBody && answer.status == 403 && configuration.profile.throttlesByForbidding
        failure.clockDifference = answer.header("date").flatMap(HTTPDate.parse).map { $0 - now() }
        let asks = answer.header("retry-after").flatMap { Int64($0) }
        let asksMilliseconds = answer.header("x-amz-retry-after").flatMap { Int64($0) }
        failure.serverAsks = asks.map { .seconds($0) } ?? asksMilliseconds.map { .milliseconds($0) }
        return failure
    }

    private func attempt(
        _ request: S3Request, _ digests: ContentDigests, _ credentials: Credentials, region: String,
        deadline: ContinuousClock.Instant
    ) async throws -> HTTPAnswer {
        let plan = plan(request, digests, credentials, region: region)
        let left = deadline - ContinuousClock.now
        let nanoseconds = left.components.seconds * 1_000_000_000 + left.components.attoseconds / 1_000_000_000
        return try await transport.send(
            plan, into: request.sink, limit: request.limit, patience: request.patience,
            deadline: .now() + .nanoseconds(max(nanoseconds, 1)))
    }

    private func plan(
        _ request: S3Request, _ digests: ContentDigests, _ credentials: Credentials, region: String
    ) -> HTTPRequestPlan {
        let endpoint = configuration.endpoint
        let place = endpoint.place(bucket: request.bucket, region: region)
        var headers = request.headers
        headers += guardHeaders(of: request, digests)
        let signed = SignatureV4.sign(
            SigningRequest(
                method: request.method, host: place.authority,
                path: request.key.map { place.path + $0 } ?? S3Client.bucketPath(place.path), query: request.query,
                headers: headers, payloadHash: payloadHash(of: request, digests)),
            credentials: credentials, region: region, date: SigningDate(secondsSince1970: now()))
        headers += signed.headers
        headers.append(("user-agent", configuration.userAgent))
        return HTTPRequestPlan(
            method: request.method, url: "\(endpoint.scheme.rawValue)://\(place.authority)\(signed.target)",
            headers: headers.map { (name: $0.0, value: $0.1) }, body: request.body)
    }

    /// `/bucket/` without a key is `/bucket`.
    private static func bucketPath(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    func now() -> Int64 { configuration.clock() + memory.clockDifference }

    /// What no server could make sense of is refused here, before anything is sent.
    private func check(_ request: S3Request) throws {
        func refuse(_ message: String) -> S3Error {
            S3Error(.configuration, message, operation: request.operation, bucket: request.bucket, key: request.key)
        }
        if let bucket = request.bucket, bucket.isEmpty || bucket.contains("/") || bucket.utf8.count > 255 {
            throw refuse("\"\(bucket)\" is no bucket's name")
        }
        if let key = request.key, key.isEmpty || key.utf8.count > 1_024 {
            throw refuse("a key has 1 to 1024 bytes, this one has \(key.utf8.count)")
        }
    }
}

extension S3Error {
    fileprivate func located(_ request: S3Request) -> S3Error {
        var error = self
        if error.operation.isEmpty { error.operation = request.operation }
        error.bucket = error.bucket ?? request.bucket
        error.key = error.key ?? request.key
        return error
    }

    /// Adds what may be behind the failure.
    fileprivate func explained(_ failure: RetryDecision.Failure, _ scheme: S3Endpoint.Scheme) -> S3Error {
        var error = self
        if scheme == .http, error.kind == .transport, error.message == TransportFailure.closedWithoutAnswer {
            error.message += "; should the endpoint begin with https://?"
        }
        if let difference = failure.clockDifference, abs(difference) > RetryDecision.bearableClockDifference {
            error.message +=
                (error.message.isEmpty ? "" : "; ")
                + "this machine's clock differs from the server's by \(abs(difference)) seconds"
        }
        return error
    }
}
