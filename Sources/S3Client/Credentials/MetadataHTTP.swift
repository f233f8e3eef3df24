internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// The small exchanges by which credentials are fetched: no redirects, an answer of 64 KiB at most, and a limit on the
/// whole of each. A client is made for each and shut down after it, since hours lie between them.
struct MetadataHTTP: Sendable {
    struct Request: Sendable, Redacted {
        var method = "GET"
        var address: String
        var headers: [(String, String)] = []
        var body: [UInt8] = []
    }

    struct Answer: Sendable, Redacted {
        var status: Int
        var body: [UInt8]
    }

    static let maximumBody = 64 << 10

    /// Of each attempt, in seconds.
    var limit: Int64
    /// For answers that a repetition may better: none, 429, and 500 to 599.
    var attempts: Int
    /// Only for what lies outside the machine and its network.
    var proxies = ProxySettings.none
    /// PEM; the system's where nil.
    var certificateAuthorityFile: String?

    /// - Parameter service: for a person, in errors.
    /// - Throws: ``S3Error`` of kind `credentials`, or `cancelled`.
    func send(_ request: Request, to service: String) async throws(S3Error) -> Answer {
        var attempt = 1
        while true {
            let failure: S3Error
            do {
                let answer = try await sendOnce(request)
                let mayBetter = answer.status == 429 || (500...599).contains(answer.status)
                if !mayBetter || attempt >= attempts { return answer }
                failure = S3Error(.credentials, "\(service) answers \(answer.status)")
            } catch {
                let reason = (error as? S3Error)?.message ?? String(describing: error)
                failure = S3Error(.credentials, "\(service) does not answer: \(reason.prefix(300))")
            }
            if attempt >= attempts || Task.isCancelled { throw Task.isCancelled ? Self.cancelled : failure }
            do { try await Task.sleep(for: .milliseconds(100 << attempt)) } catch { throw Self.cancelled }
            attempt += 1
        }
    }

    private static let cancelled = S3Error(.cancelled, "cancelled while credentials were fetched")

    private func sendOnce(_ request: Request) async throws -> Answer {
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: configuration(for: try EndpointAddress(request.address)))
        let result: Result<Answer, any Error>
        do { result = .success(try await exchange(request, client)) } catch { result = .failure(error) }
        try? await client.shutdown()
        return try result.get()
    }

    /// A server that sends a byte now and then passes every limit but one on the whole.
    private func exchange(_ request: Request, _ client: HTTPClient) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask {
                let response = try await client.execute(clientRequest(request), timeout: .seconds(limit))
                let body = try await response.body.collect(upTo: Self.maximumBody)
                return Answer(status: Int(response.status.code), body: Array(body.readableBytesView))
            }
            group.addTask {
                try await Task.sleep(for: .seconds(limit))
                throw S3Error(.deadline, "no whole answer within \(limit) s")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    private func clientRequest(_ request: Request) -> HTTPClientRequest {
        var result = HTTPClientRequest(url: request.address)
        result.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { result.headers.add(name: name, value: value) }
        if !request.body.isEmpty { result.body = .bytes(ByteBuffer(bytes: request.body)) }
        return result
    }

    private func configuration(for address: EndpointAddress) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let certificateAuthorityFile { tls.trustRoots = .file(certificateAuthorityFile) }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(limit), read: .seconds(limit)))
        configuration.httpVersion = .http1Only
        // It would try again until the limit where nobody listens.
        configuration.connectionPool.retryConnectionEstablishment = false
        let proxy = proxies.proxy(forHost: address.host, port: address.effectivePort, isTLS: address.isTLS)
        configuration.proxy = proxy.map { proxy in
            let authorization = proxy.user.map {
                HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "")
            }
            return .server(host: proxy.host, port: proxy.port, authorization: authorization)
        }
        return configuration
    }
}
