import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("Bodies that nobody wants")
struct BodyLimitTests {
    private static let base = "/api/v1/backup"
    private static let chunk = "10000\r\n" + String(repeating: "a", count: 65_536) + "\r\n"

    private func head(_ line: String, _ token: String?, _ more: String) -> String {
        "\(line) HTTP/1.1\r\nHost: a\r\n" + (token.map { "Authorization: Bearer \($0)\r\n" } ?? "") + more + "\r\n\r\n"
    }

    private func expectRefusal(
        _ answer: RawClient.Answer, _ status: Int, _ line: String, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(
            answer.status == status && answer.isClosed && answer.count == 1, "\(line): \(answer.text)",
            sourceLocation: location)
        #expect(answer.text.lowercased().contains("connection: close"), "\(line)", sourceLocation: location)
    }

    @Test(
        "Every route refuses a body beyond the limit, by its length at once and by its bytes where it comes in chunks")
    func everyRoute() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            _ = try await bench.engine.backup(BackupRequest())
            for line in [
                "POST \(Self.base)/1/verify", "POST \(Self.base)/upload-missing", "POST \(Self.base)/jobs/1/run",
                "GET \(Self.base)/stats", "GET \(Self.base)/1/download", "DELETE \(Self.base)/1", "GET /health",
                "PUT \(Self.base)/jobs/1", "POST \(Self.base)/1/restore", "POST \(Self.base)/export",
            ] {
                let long = try RawClient(port: bench.port)
                long.send(head(line, token, "Content-Length: 5000000"))
                expectRefusal(await long.read(seconds: 60), 413, line)
                let chunked = try RawClient(port: bench.port)
                chunked.send(head(line, token, "Transfer-Encoding: chunked"))
                for _ in 0..<17 { chunked.send(Self.chunk) }
                expectRefusal(await chunked.read(seconds: 60), 413, line)
            }
            #expect(try await bench.engine.record(1).status == .completed)
            #expect(try await bench.ask(.GET, "/health").status == 200)
        }
    }

    @Test("A body of an import counts as a whole, also behind the form's end")
    func importBody() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.largestImport = 100_000 }) { bench in
            let token = try await bench.token(.admin)
            let line = "POST \(Self.base)/import"
            let form = "Content-Type: multipart/form-data; boundary=b\r\n"
            let long = try RawClient(port: bench.port)
            long.send(head(line, token, form + "Content-Length: 5000000"))
            expectRefusal(await long.read(seconds: 60), 413, line)
            let chunked = try RawClient(port: bench.port)
            chunked.send(head(line, token, form + "Transfer-Encoding: chunked"))
            let end = "--b\r\nContent-Disposition: form-data; name=\"dry_run\"\r\n\r\n1\r\n--b--\r\n"
            chunked.send("\(String(end.utf8.count, radix: 16))\r\n\(end)\r\n")
            for _ in 0..<4 { chunked.send(Self.chunk) }
            expectRefusal(await chunked.read(seconds: 60), 413, line)
            #expect(try bench.hiddenFiles().isEmpty)
        }
    }

    @Test("Who is refused before the body has come is answered, and the connection is closed")
    func refused() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.rateLimit = 200 }) { bench in
            let viewer = try await bench.token(.viewer)
            let admin = try await bench.token(.admin)
            let cases: [(line: String, token: String?, status: Int)] = [
                ("POST \(Self.base)/import", nil, 401), ("POST \(Self.base)/import", viewer, 403),
                ("POST /nowhere", admin, 404), ("PATCH \(Self.base)/jobs", admin, 405),
                ("PUT \(Self.base)/jobs", nil, 401),
            ]
            for (line, token, status) in cases {
                for length in ["Content-Length: 900000", "Transfer-Encoding: chunked"] {
                    let client = try RawClient(port: bench.port)
                    client.send(head(line, token, length))
                    if length.hasPrefix("T") { client.send(Self.chunk) }
                    expectRefusal(await client.read(seconds: 10), status, "\(line) \(length)")
                }
            }
            var status = 0
            while status != 429 { status = try await bench.ask(.GET, Self.base, token: viewer).status }
            let client = try RawClient(port: bench.port)
            client.send(head("POST \(Self.base)/1/verify", viewer, "Transfer-Encoding: chunked"))
            let answer = await client.read(seconds: 60)
            // A machine that is busy may have given leave again: then it is the role that is too small.
            #expect(answer.isClosed && (answer.status == 429 || answer.status == 403), "\(answer.text)")
        }
    }

    @Test("A small body that comes late is thrown away, and the connection serves on")
    func small() async throws {
        try await ServiceBench.with { bench in
            let client = try RawClient(port: bench.port)
            client.send(head("POST /nowhere", nil, "Content-Length: 10"))
            let first = await client.read(until: "}")
            #expect(first.status == 401 && !first.isClosed && !first.text.lowercased().contains("connection: close"))
            client.send("0123456789" + head("GET /health", nil, "Connection: keep-alive"))
            #expect(await client.read(until: "\"ok\"}").status == 200)
        }
    }

    @Test("A small body that never comes has no second answer")
    func smallAndMissing() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.limits.bodyTime = .seconds(5) }) {
            bench in
            let client = try RawClient(port: bench.port)
            client.send(head("POST /nowhere", nil, "Content-Length: 10"))
            let answer = await client.read(seconds: 60)
            #expect(answer.status == 401 && answer.count == 1 && answer.isClosed, "\(answer.text)")
        }
    }
}
