internal import AsyncHTTPClient
internal import BackupCore
internal import NIOCore
internal import NIOHTTP1

/// A small request to somebody else's server, made with patience that ends. Tells neither the address nor the answer: the
/// address may be a secret.
struct WebCall {
    var url: Secret
    var headers: [(String, String)] = []
    var body: [UInt8]
    /// How often it is made where it fails for a reason that may pass.
    var attempts = 3
    var pause = Duration.seconds(1)

    private static let limit = TimeAmount.seconds(10)
    private static let redirected = ", a redirection, which is not followed: give the address that it leads to"

    /// One for all calls of the process. A server that refuses connections is asked again by us and not for ten seconds by
    /// the client. A redirection is an answer like any other: to follow it would send the document, or an empty request
    /// that looks like its delivery, to where nobody configured.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// What went wrong at last; nil where the server took it.
    func send() async -> String? {
        var fault: String?
        for attempt in 0..<attempts {
            if attempt > 0 {
                try? await Task.sleep(for: pause * (1 << (attempt - 1)))
                // Nobody waits for it any more.
                if Task.isCancelled { return fault }
            }
            do {
                let status = try await execute()
                if (200..<300).contains(status) { return nil }
                fault = "the server answered \(status)" + ((300..<400).contains(status) ? Self.redirected : "")
                guard status == 429 || status >= 500 else { return fault }
            } catch let error as HTTPClientError {
                fault = "\(error)"
            } catch {
                fault = "the server cannot be reached"
            }
        }
        return fault
    }

    private func execute() async throws -> Int {
        var request = HTTPClientRequest(url: url.revealed)
        request.method = .POST
        request.headers.add(name: "User-Agent", value: "elder-backup/\(ProgramVersion.current)")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await Self.client.execute(request, timeout: Self.limit)
        // What it says is of no interest; an answer that is left unread costs a connection and nothing else.
        return Int(response.status.code)
    }
}
