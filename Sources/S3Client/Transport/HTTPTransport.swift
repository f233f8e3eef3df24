internal import AsyncHTTPClient
internal import Foundation
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// One request as it goes out: signed, encoded, complete.
struct HTTPRequestPlan: Sendable {
    var method: String
    /// `https://host/path?query`, encoded.
    var url: String
    var headers: [(name: String, value: String)]
    var body: UploadBody
}

/// Sends requests over async-http-client. It neither signs nor tries again.
final class HTTPTransport: Sendable {
    /// How long an answer may take to begin.
    enum Patience: Sendable { case ordinary, long }

    private let client: HTTPClient
    private let configuration: S3Configuration

    /// - Throws: ``S3Error`` of kind `configuration` where the file of authorities cannot be read.
    init(_ configuration: S3Configuration) throws {
        self.configuration = configuration
        client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: try HTTPTransport.settings(configuration))
    }

    func shutdown() async {
        // A client that was shut down before says so; there is nothing else to tell.
        try? await client.shutdown()
    }

    private static func settings(_ configuration: S3Configuration) throws -> HTTPClient.Configuration {
        var settings = HTTPClient.Configuration()
        settings.redirectConfiguration = .disallow
        settings.httpVersion = .http1Only
        settings.decompression = .disabled
        // The client's own limits do not see a request's body that gets no further; ``InactivityWatch`` does.
        settings.timeout = .init(connect: .seconds(Int64(configuration.connectTimeout)))
        // Servers close an idle connection after about five seconds; a request on such a one is lost.
        settings.connectionPool = .init(
            idleTimeout: .seconds(4), concurrentHTTP1ConnectionsPerHostSoftLimit: configuration.connections)
        settings.connectionPool.retryConnectionEstablishment = false
        settings.dnsOverride = configuration.addresses
        // Larger reads: fewer calls for each megabyte of a download. There is no other way in to a connection's options.
        settings.http1_1ConnectionDebugInitializer = { channel in
            channel.setOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16_384, maximum: 262_144)
            )
        }
        settings.tlsConfiguration = try tls(configuration)
        let endpoint = configuration.endpoint
        let port = endpoint.port ?? (endpoint.scheme == .https ? 443 : 80)
        let isTLS = endpoint.scheme == .https
        if let proxy = configuration.proxies?.proxy(forHost: endpoint.host, port: port, isTLS: isTLS) {
            let authorization = proxy.user.map {
                HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "")
            }
            settings.proxy = .server(host: proxy.host, port: proxy.port, authorization: authorization)
        }
        return settings
    }

    static func tls(_ configuration: S3Configuration) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = configuration.certificateAuthorityFile {
            guard access(file, R_OK) == 0, let found = try? NIOSSLCertificate.fromPEMFile(file), !found.isEmpty else {
                throw S3Error(
                    .configuration,
                    "the file of certificate authorities \(file) cannot be read, or holds none in PEM form")
            }
            tls.trustRoots = .certificates(found)
        }
        return tls
    }

    /// - Throws: ``S3Error`` of kind `transport`, `file`, `malformedAnswer`, `deadline`; `CancellationError`.
    func send(
        _ plan: HTTPRequestPlan, into sink: DownloadSink?, limit: Int, patience: Patience, deadline: NIODeadline
    ) async throws -> HTTPAnswer {
        try Task.checkCancellation()
        var descriptor: Int32 = -1
        defer { if descriptor >= 0 { close(descriptor) } }
        var request: HTTPClient.Request
        do {
            request = try HTTPClient.Request(
                url: plan.url, method: HTTPMethod(rawValue: plan.method),
                headers: HTTPHeaders(plan.headers.map { ($0.name, $0.value) }))
        } catch {
            throw S3Error(.configuration, "\(plan.url.prefix { $0 != "?" }) cannot be asked: \(error)")
        }
        let watch = InactivityWatch(
            inactivity: configuration.inactivityTimeout,
            answer: patience == .long ? configuration.longAnswerTimeout : configuration.inactivityTimeout)
        let loop = client.eventLoopGroup.next()
        var body: StreamedBody?
        switch plan.body {
        case .bytes(let bytes):
            if !bytes.isEmpty || plan.method == "PUT" || plan.method == "POST" {
                body = StreamedBody(.bytes(bytes), length: Int64(bytes.count), watch, on: loop)
            }
        case .file(let file):
            descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw S3Error(.file, "cannot open \(file.path): \(String(cString: strerror(errno)))")
            }
            body = StreamedBody(
                .file(file, descriptor: descriptor), length: file.length, watch, on: loop)
        }
        request.body = body?.requestBody
        let task = client.execute(
            request: request, delegate: AnswerReceiver(sink: sink, limit: limit, watch, body),
            eventLoop: .delegateAndChannel(on: loop), deadline: deadline)
        let watcher = watch.start(on: task.eventLoop) {
            task.fail(reason: S3Error(.transport, "the server stopped taking or sending data"))
        }
        defer { watcher.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.get()
            } onCancel: {
                task.cancel()
            }
        } catch {
            try Task.checkCancellation()
            throw TransportFailure.error(error)
        }
    }
}
