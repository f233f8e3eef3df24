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

    private let ordinary: HTTPClient
    private let long: HTTPClient

    /// - Throws: ``S3Error`` of kind `configuration` where the file of authorities cannot be read.
    init(_ configuration: S3Configuration) throws {
        let settings = try HTTPTransport.settings(configuration)
        ordinary = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        var patient = settings
        patient.timeout.read = .seconds(Int64(configuration.longAnswerTimeout))
        long = HTTPClient(eventLoopGroupProvider: .singleton, configuration: patient)
    }

    func shutdown() async {
        // A client that was shut down before says so; there is nothing else to tell.
        try? await ordinary.shutdown()
        try? await long.shutdown()
    }

    private static func settings(_ configuration: S3Configuration) throws -> HTTPClient.Configuration {
        var settings = HTTPClient.Configuration()
        settings.redirectConfiguration = .disallow
        settings.httpVersion = .http1Only
        settings.decompression = .disabled
        settings.timeout = .init(
            connect: .seconds(Int64(configuration.connectTimeout)),
            read: .seconds(Int64(configuration.inactivityTimeout)),
            write: .seconds(Int64(configuration.inactivityTimeout)))
        // Servers close an idle connection after about five seconds; a request on such a one is lost.
        settings.connectionPool = .init(
            idleTimeout: .seconds(4), concurrentHTTP1ConnectionsPerHostSoftLimit: configuration.connections)
        settings.connectionPool.retryConnectionEstablishment = false
        settings.dnsOverride = configuration.addresses
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
        switch plan.body {
        case .bytes(let bytes):
            request.body = .bytes(bytes)
        case .file(let file):
            descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw S3Error(.file, "cannot open \(file.path): \(String(cString: strerror(errno)))")
            }
            request.body = FileBody(descriptor: descriptor, file: file).requestBody
        }
        let client = patience == .long ? long : ordinary
        let task = client.execute(
            request: request, delegate: AnswerReceiver(sink: sink, limit: limit), deadline: deadline)
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
