import AsyncHTTPClient
import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@Suite("TLS")
struct TLSTests {
    private static func client(trusting file: String, _ change: (inout TLSConfiguration) -> Void = { _ in })
        -> HTTPClient
    {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(file)
        change(&tls)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func status(_ client: HTTPClient, _ port: Int) async throws -> (Int, String?) {
        let outcome: Result<(Int, String?), any Error>
        do {
            let request = HTTPClientRequest(url: "https://127.0.0.1:\(port)/health")
            let response = try await client.execute(request, timeout: .seconds(20))
            _ = try await response.body.collect(upTo: 1 << 20)
            outcome = .success(
                (Int(response.status.code), response.headers.first(name: "Strict-Transport-Security")))
        } catch {
            outcome = .failure(error)
        }
        try await client.shutdown()
        return try outcome.get()
    }

    private static func use(_ name: String, _ directory: String) -> TLSFiles {
        TLSFiles(certificate: "\(directory)/\(name).pem", key: "\(directory)/\(name).key")
    }

    @Test("Requests come through TLS 1.2 and 1.3, nothing older and nothing plain; a new certificate is taken up")
    func served() async throws {
        let directory = try Certificates.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for name in ["server", "next"] { try Certificates.make(name, in: directory) }
        try await ServiceBench.with(settings: { settings, _ in
            settings.tls = TLSTests.use("server", directory)
            settings.certificateInterval = .milliseconds(50)
            settings.limits.headerTime = .seconds(1)
        }) { bench in
            let trusted = directory + "/trusted.pem"
            try FileManager.default.copyItem(atPath: directory + "/server.pem", toPath: trusted)
            for version in [TLSVersion.tlsv12, .tlsv13] {
                let client = TLSTests.client(trusting: trusted) {
                    $0.minimumTLSVersion = version
                    $0.maximumTLSVersion = version
                }
                let (status, transport) = try await TLSTests.status(client, bench.port)
                #expect(status == 200 && transport?.hasPrefix("max-age=") == true)
            }
            await #expect(throws: (any Error).self) {
                let client = TLSTests.client(trusting: trusted) {
                    $0.minimumTLSVersion = .tlsv1
                    $0.maximumTLSVersion = .tlsv11
                }
                return try await TLSTests.status(client, bench.port)
            }
            let plain = try RawClient(port: bench.port)
            plain.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = await plain.read()
            #expect(answer.isClosed && !answer.text.contains("HTTP/1.1 200"))
            // Who only connects is let go as well.
            let silent = try RawClient(port: bench.port)
            #expect(await silent.read().isClosed)

            try TLSTests.replace("server", by: "next", in: directory)
            let end = ContinuousClock.now + .seconds(20)
            var last: (Int, String?)?
            while last == nil, ContinuousClock.now < end {
                last = try? await TLSTests.status(
                    TLSTests.client(trusting: directory + "/next.pem"), bench.port)
            }
            #expect(last?.0 == 200)
            // What is no certificate changes nothing.
            try Data("broken".utf8).write(to: URL(filePath: directory + "/server.pem"))
            try await Task.sleep(for: .milliseconds(200))
            #expect(
                try await TLSTests.status(
                    TLSTests.client(trusting: directory + "/next.pem"), bench.port
                ).0 == 200)
        }
    }

    private static func replace(_ name: String, by other: String, in directory: String) throws {
        for suffix in [".key", ".pem"] {
            let data = try Data(contentsOf: URL(filePath: "\(directory)/\(other)\(suffix)"))
            try data.write(to: URL(filePath: "\(directory)/\(name)\(suffix)"), options: .atomic)
        }
    }

    @Test("Files that are missing, wrong, expired or of different pairs stop the start, by name")
    func refused() async throws {
        let directory = try Certificates.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for name in ["one", "two"] { try Certificates.make(name, in: directory) }
        try Certificates.makeExpired("old", in: directory)
        try Data("text".utf8).write(to: URL(filePath: directory + "/text.pem"))
        let examples = [
            (TLSFiles(certificate: directory + "/one.pem", key: directory + "/two.key"), "does not belong to"),
            (TLSFiles(certificate: directory + "/none.pem", key: directory + "/two.key"), "cannot be read"),
            (TLSFiles(certificate: directory + "/text.pem", key: directory + "/two.key"), "no certificate"),
            (TLSFiles(certificate: directory + "/one.pem", key: directory + "/one.pem"), "no private key"),
            (TLSTests.use("old", directory), "expired on"),
        ]
        try await ServiceBench.with { bench in
            for (files, words) in examples {
                var settings = ServiceSettings()
                settings.tls = files
                do {
                    _ = try await BackupService(engine: bench.engine, settings: settings, logger: ServiceBench.logger)
                    Issue.record("\(words): was taken")
                } catch let error as BackupError {
                    #expect(error.code == .configuration && error.message.contains(words), "\(error)")
                }
            }
        }
    }

    @Test(
        "A service that others can reach without TLS is told of",
        arguments: [
            ("127.0.0.1", false), ("localhost", false), ("::1", false), ("0.0.0.0", true), ("::", true),
            ("10.0.0.1", true),
            ("backup.example", true),
        ])
    func exposure(_ host: String, _ isExposed: Bool) {
        var settings = ServiceSettings()
        settings.host = host
        #expect(settings.isExposed == isExposed)
        settings.tls = TLSFiles(certificate: "a", key: "b")
        #expect(!settings.isExposed)
    }
}
