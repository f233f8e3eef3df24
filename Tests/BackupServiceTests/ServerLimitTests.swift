import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("The server's limits against clients that are slow, large or sly")
struct ServerLimitTests {
    private static func hurry(_ settings: inout ServiceSettings, _ directory: String) {
        settings.limits.headerTime = .milliseconds(600)
        settings.limits.bodyTime = .milliseconds(600)
        // Long enough for a client that is slow to read on a busy machine.
        settings.limits.lingerTime = .seconds(3)
    }

    @Test(
        "A header that comes drop by drop ends in 408, one that never comes in silence, on new and on old connections")
    func slowHeader() async throws {
        try await ServiceBench.with(settings: ServerLimitTests.hurry) { bench in
            let silent = try RawClient(port: bench.port)
            let later = try RawClient(port: bench.port)
            later.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            let first = await later.read(until: "\"ok\"}")
            #expect(first.status == 200)
            let slow = try RawClient(port: bench.port)
            for client in [slow, later] { client.send("GET /health HTTP/1.1\r\n") }
            let dripping = Task {
                for piece in Array(repeating: "X-A: b\r\n", count: 400) {
                    guard slow.send(piece), later.send(piece) else { break }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            // Both at once: what is read late may be lost to the reset that further drops bring about.
            async let one = slow.read()
            async let two = later.read()
            for answer in [await one, await two] {
                #expect(answer.status == 408 && answer.isClosed && answer.count == 1, "\(answer.text)")
                #expect(answer.text.contains("connection: close") || answer.text.contains("Connection: close"))
            }
            let nothing = await silent.read()
            #expect(nothing.isClosed && nothing.bytes.isEmpty)
            dripping.cancel()
            #expect(try await bench.ask(.GET, "/health").status == 200)
        }
    }

    @Test("A body that does not come ends in 408; a slow one that comes is taken; the service goes on")
    func slowBody() async throws {
        try await ServiceBench.with(settings: { settings, directory in
            ServerLimitTests.hurry(&settings, directory)
            settings.limits.bodyTime = .seconds(2)
            settings.limits.bodyRate = 5
        }) { bench in
            let token = try await bench.token(.admin)
            let head = "POST /api/v1/backup/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
            let body = #"{"name":"slow but steady enough to be taken"}"#
            let stuck = try RawClient(port: bench.port)
            stuck.send(head + "Content-Length: 100\r\n\r\n{\"na")
            let steady = try RawClient(port: bench.port)
            steady.send(head + "Content-Length: \(body.utf8.count)\r\n\r\n")
            let sending = Task {
                for character in body {
                    steady.send(String(character))
                    try await Task.sleep(for: .milliseconds(60))
                }
            }
            let late = await stuck.read()
            #expect(late.status == 408 && late.isClosed, "\(late.text)")
            let taken = await steady.read(until: "}")
            #expect(taken.status == 201, "\(taken.text)")
            sending.cancel()
            #expect(try await bench.engine.jobs().count == 1)
        }
    }

    @Test(
        "What is too large or no request is refused with its own status, and the connection is closed",
        arguments: [
            ("GET /" + String(repeating: "a", count: 17 << 10) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            ("GET / HTTP/1.1\r\nX-A: " + String(repeating: "a", count: 17 << 10) + "\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\n" + String(repeating: "X-A: b\r\n", count: 200) + "\r\n", 431),
            (
                "GET / HTTP/1.1\r\n"
                    + (0..<9).map { "X-\($0): " + String(repeating: "a", count: 9 << 10) + "\r\n" }.joined()
                    + "\r\n", 431
            ),
            ("no request at all\r\n\r\n", 400), ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            // Two lengths, or one and chunks: what one server takes for a body another takes for a request.
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 9\r\n\r\nabcd", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked, x\r\n\r\n0\r\n\r\n", 400),
            ("\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}", 400),
        ])
    func malformed(_ request: String, _ status: Int) async throws {
        try await ServiceBench.with(settings: ServerLimitTests.hurry) { bench in
            let client = try RawClient(port: bench.port)
            client.send(request + "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = await client.read()
            #expect(answer.status == status, "\(request.prefix(60)): \(answer.text)")
            #expect(answer.isClosed && answer.count == 1 && !answer.text.contains("\"status\":\"ok\""))
        }
    }

    @Test("A body that is too long is answered before it is read, and the connection is closed")
    func largeBody() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let head = "POST /api/v1/backup/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
            for length in ["Content-Length: 2000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
                let client = try RawClient(port: bench.port)
                client.send(head + length)
                if length.hasPrefix("T") {
                    let chunk = "10000\r\n" + String(repeating: "a", count: 65_536) + "\r\n"
                    for _ in 0..<17 { client.send(chunk) }
                }
                let answer = await client.read()
                #expect(answer.status == 413 && answer.isClosed, "\(answer.text)")
            }
        }
    }

    @Test("Requests of one connection that come together are answered one after the other")
    func pipelined() async throws {
        try await ServiceBench.with { bench in
            let client = try RawClient(port: bench.port)
            client.send(
                String(repeating: "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", count: 50) + "GET /health HTTP/1.1\r\n"
                    + "Host: a\r\nConnection: close\r\n\r\n")
            let answer = await client.read(seconds: 10)
            #expect(answer.count == 51)
        }
    }

    @Test("Connections beyond the limit wait for one to end, and are served then")
    func connections() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.limits.connections = 8 }) { bench in
            let request = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
            var clients: [RawClient] = []
            for _ in 0..<8 {
                let client = try RawClient(port: bench.port)
                client.send(request)
                #expect(await client.read(until: "\"ok\"}").status == 200)
                clients.append(client)
            }
            // What was accepted in one go may be more than the limit by a few; not by as many as come.
            var waiting: [RawClient] = []
            for _ in 0..<40 {
                let client = try RawClient(port: bench.port)
                client.send(request)
                waiting.append(client)
            }
            let last = try #require(waiting.last)
            #expect(await last.read(until: "\"ok\"}", seconds: 0.5).bytes.isEmpty)
            clients = []
            waiting.removeLast()
            waiting = []
            #expect(await last.read(until: "\"ok\"}").status == 200)
        }
    }

    @Test("A client that takes nothing of a download is cut off, and no more than a little of it is in memory")
    func slowReader() async throws {
        try await ServiceBench.with(settings: { settings, directory in
            settings.limits.stallTime = .milliseconds(600)
            try? ServiceBench.query(
                "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
                    + "INSERT INTO users SELECT i, hex(randomblob(60000)) FROM n", on: directory + "/app.sqlite")
        }) { bench in
            let token = try await bench.token(.operator)
            let backup = try await bench.engine.backup(BackupRequest())
            #expect(backup.fileSize > 20 << 20)
            let before = try ServerLimitTests.memory()
            var clients: [RawClient] = []
            for _ in 0..<20 {
                let client = try RawClient(port: bench.port)
                client.send(
                    "GET /api/v1/backup/\(backup.backupID)/download HTTP/1.1\r\nHost: a\r\n"
                        + "Authorization: Bearer \(token)\r\n\r\n")
                clients.append(client)
            }
            // Long enough for every one of them to be cut off on a busy machine: one that is not would go on once it is read.
            let end = ContinuousClock.now + .seconds(6)
            var most = 0
            while ContinuousClock.now < end {
                most = max(most, try ServerLimitTests.memory())
                try await Task.sleep(for: .milliseconds(20))
            }
            // Twenty times the archive would be 400 MB and more.
            #expect(most - before < 100 << 20, "\(most - before) bytes")
            for client in clients {
                let answer = await client.read()
                #expect(answer.isClosed && answer.bytes.count < Int(backup.fileSize))
            }
        }
    }

    /// Of this process, in bytes.
    private static func memory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
    }

    @Test("Answers tell browsers to take them for what they are and to keep nothing")
    func headers() async throws {
        try await ServiceBench.with { bench in
            for path in ["/health", "/api/v1/backup", "/nowhere"] {
                let headers = try await bench.ask(.GET, path).headers
                #expect(headers.first(name: "X-Content-Type-Options") == "nosniff")
                #expect(headers.first(name: "Cache-Control") == "no-store")
                #expect(headers.first(name: "Strict-Transport-Security") == nil)
            }
        }
    }
}
