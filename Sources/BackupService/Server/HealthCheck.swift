internal import AsyncHTTPClient
internal import BackupCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Asks the service of this machine how it is, where its settings say that it listens: for the health check of a
/// container, which has no other client.
package struct HealthCheck: Sendable {
    private let url: String
    private let patience: TimeAmount

    /// - Parameters:
    ///   - needsReady: whether the service must also be able to do its work, not only to answer.
    ///   - patience: for the whole answer.
    package init(_ settings: ServiceSettings, needsReady: Bool, patience: Duration = .seconds(5)) {
        self.patience = TimeAmount(patience)
        let isEverywhere = settings.host == "0.0.0.0" || settings.host == "::"
        let host = isEverywhere ? (settings.host == "::" ? "::1" : "127.0.0.1") : settings.host
        url =
            "\(settings.tls == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(settings.port)"
            + (needsReady ? "/ready" : "/health")
    }

    private static let longestAnswer = 64 << 10

    /// What the service answered.
    ///
    /// - Throws: `remote` where it does not answer, or says that it is not well.
    package func ask() async throws -> String {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: patience))
        configuration.connectionPool.retryConnectionEstablishment = false
        // The certificate is made out to the name that others use, and this is the machine that has its key.
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        configuration.tlsConfiguration = tls
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let text = try await answer(of: client)
            try await client.shutdown()
            return text
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private func answer(of client: HTTPClient) async throws -> String {
        let response: HTTPClientResponse
        let text: String
        do {
            response = try await client.execute(HTTPClientRequest(url: url), timeout: patience)
            text = String(buffer: try await response.body.collect(upTo: HealthCheck.longestAnswer))
        } catch {
            throw BackupError(.remote, "no answer from \(url): \(error); is the service running?")
        }
        guard response.status.code == 200 else {
            throw BackupError(.remote, "\(url) answered \(response.status.code): \(text)")
        }
        return text
    }
}
