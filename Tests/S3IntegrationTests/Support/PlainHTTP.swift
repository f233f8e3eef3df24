import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import S3Client

/// Asks an address without credentials, as whoever was given a presigned one.
enum PlainHTTP {
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    static func ask(
        _ method: HTTPMethod, _ url: String, body: [UInt8]? = nil, as configuration: S3Configuration
    ) async throws -> Answer {
        var settings = HTTPClient.Configuration()
        settings.dnsOverride = configuration.addresses
        if let file = configuration.certificateAuthorityFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(file)
            settings.tlsConfiguration = tls
        }
        return try await HTTPClient.withHTTPClient(configuration: settings) { client in
            let first = try await ask(method, url, body, client)
            // A provider's limit, which it never applies twice in a row; to HEAD Wasabi gives no reason.
            let isLimit =
                [429, 503].contains(first.status)
                || first.status == 403
                    && (method == .HEAD || String(decoding: first.body, as: UTF8.self).contains("RateLimit"))
            return isLimit ? try await ask(method, url, body, client) : first
        }
    }

    private static func ask(
        _ method: HTTPMethod, _ url: String, _ body: [UInt8]?, _ client: HTTPClient
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(request, timeout: .seconds(30))
        let received = try await response.body.collect(upTo: 16 << 20)
        return Answer(status: Int(response.status.code), body: Array(received.readableBytesView))
    }
}
