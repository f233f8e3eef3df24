import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@Suite("Exports and imports over HTTP")
struct ExchangeTests {
    private static let base = "/api/v1/backup"

    private static func form(_ parts: [(name: String, filename: String?, content: String)]) -> String {
        parts.map { part in
            "--bound\r\nContent-Disposition: form-data; name=\"\(part.name)\""
                + (part.filename.map { "; filename=\"\($0)\"" } ?? "") + "\r\n\r\n\(part.content)\r\n"
        }.joined() + "--bound--\r\n"
    }

    private func send(
        _ bench: ServiceBench, _ parts: [(name: String, filename: String?, content: String)], token: String
    ) async throws -> ServiceBench.Reply {
        try await bench.ask(
            .POST, ExchangeTests.base + "/import", token: token, body: ExchangeTests.form(parts),
            headers: [("Content-Type", "multipart/form-data; boundary=bound")])
    }

    private static func users(_ bench: ServiceBench) throws -> String {
        try ServiceBench.first("SELECT group_concat(name) FROM users", on: bench.directory + "/app.sqlite")
    }

    @Test("An export is made, fetched whole and in stretches, and imported again")
    func life() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.operator)
            let made = try await bench.ask(
                .POST, ExchangeTests.base + "/export", token: token,
                body: #"{"format":"json","resource_types":["user"],"filters":{"id":{"gte":2}}}"#)
            #expect(made.status == 202 && made.json["success"] as? Bool == true, "\(made.error)")
            #expect(made.json["format"] as? String == "json" && made.json["resource_types"] as? [String] == ["user"])
            #expect(made.json["record_counts"] as? [String: Int] == ["user": 1])
            let name = try #require(made.json["filename"] as? String)
            let path = ExchangeTests.base + "/export/\(name)/download"
            let file = try await bench.ask(.GET, path, token: token)
            #expect(file.status == 200 && file.headers.first(name: "Content-Type") == "application/json")
            #expect(file.body.count == made.json["file_size"] as? Int)
            #expect(file.headers.first(name: "Content-Disposition") == "attachment; filename=\"\(name)\"")
            let tag = try #require(file.headers.first(name: "ETag"))
            let part = try await bench.ask(
                .GET, path, token: token, headers: [("Range", "bytes=2-5"), ("If-Range", tag)])
            #expect(part.status == 206 && part.body == Array(file.body[2..<6]))
            let known = try await bench.ask(.GET, path, token: token, headers: [("If-None-Match", tag)])
            #expect(known.status == 304)
            #expect(try await bench.ask(.HEAD, path, token: token).status == 200)

            let text = String(decoding: file.body, as: UTF8.self)
            #expect(try await send(bench, [("file", name, text)], token: token).status == 403)
            let admin = try await bench.token(.admin)
            let refused = try await send(bench, [("file", name, text)], token: admin)
            #expect(refused.status == 409 && refused.json["code"] as? String == "target")
            let dry = try await send(
                bench, [("file", name, text), ("dry_run", nil, "true"), ("clear_existing", nil, "true")], token: admin)
            #expect(dry.status == 202 && dry.json["dry_run"] as? Bool == true, "\(dry.error)")
            #expect(try ExchangeTests.users(bench) == "ada,bob")
            let done = try await send(bench, [("clear_existing", nil, "true"), ("file", name, text)], token: admin)
            #expect(done.status == 202 && done.json["imported_tables"] as? Int == 1, "\(done.error)")
            #expect(done.json["total_records"] as? Int == 1 && done.json["errors"] as? [String: String] == [:])
            #expect(done.json["imported_counts"] as? [String: Int] == ["users": 1])
            #expect(try ExchangeTests.users(bench) == "bob")
            #expect(try bench.hiddenFiles().isEmpty)
            let entries = try await bench.engine.auditEntries(before: nil, limit: 100)
            #expect(entries.filter { $0.action == "import" && $0.outcome == "done" }.map(\.subject) == [name, name])
            #expect(!entries.contains { "\($0)".contains(bench.directory + "/backups/.") })
        }
    }

    @Test("What makes no sense is refused by its field")
    func refusals() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            for (body, field) in [
                ("{}", "format"), (#"{"format":"yaml"}"#, "format"), (#"{"format":7}"#, "format"),
                (#"{"format":"csv","resource_types":["planet"]}"#, "resource_types"),
                (#"{"format":"csv","resource_types":"user"}"#, "resource_types"),
                (#"{"format":"csv","filters":{"colour":1}}"#, "filters"),
                (#"{"format":"csv","filters":[]}"#, "filters"),
                (#"{"format":"csv","source":"sqlite:/etc/x"}"#, "source"),
            ] {
                let reply = try await bench.ask(.POST, ExchangeTests.base + "/export", token: token, body: body)
                // What the database does not have is not there; all else makes no sense.
                let isMissing = body.contains("planet") || body.contains("colour")
                #expect(reply.status == (isMissing ? 404 : 400), "\(body): \(reply.error)")
                #expect(reply.json["code"] as? String == (isMissing ? "not_found" : "usage"))
                #expect((reply.json["fields"] as? [String: String])?[field] != nil, "\(body): \(reply.json)")
            }
            for name in ["x.json", "..%2Fcatalog.sqlite", "%2e%2e", "export_20260101_000000_aaaaaaaa.json"] {
                let reply = try await bench.ask(.GET, ExchangeTests.base + "/export/\(name)/download", token: token)
                #expect(reply.status == 404, "\(name)")
            }
            let bad: [[(name: String, filename: String?, content: String)]] = [
                [], [("file", "a.txt", "{}")], [("file", nil, "hello")],
                [("file", "a.json", "{}"), ("file", "b.json", "{}")],
                [("file", "a.json", "hello")], [("file", "a.json.gz", "hello")], [("file", "a.json", "")],
            ]
            for parts in bad {
                let reply = try await send(bench, parts, token: token)
                #expect(reply.status == 400, "\(parts): \(reply.error)")
                #expect((reply.json["fields"] as? [String: String])?["file"] != nil, "\(parts): \(reply.json)")
                #expect(!reply.error.contains(bench.directory))
            }
            let flag = try await send(bench, [("dry_run", nil, "maybe"), ("file", "a.json", "{}")], token: token)
            #expect(flag.status == 400 && (flag.json["fields"] as? [String: String])?["dry_run"] != nil)
            let unknown = try await send(bench, [("colour", nil, "red")], token: token)
            #expect(unknown.status == 400 && (unknown.json["fields"] as? [String: String])?["colour"] != nil)
            let plain = try await bench.ask(.POST, ExchangeTests.base + "/import", token: token, body: "{}")
            #expect(plain.status == 400)
            #expect(try bench.hiddenFiles().isEmpty)
            #expect(try ExchangeTests.users(bench) == "ada,bob")
        }
    }

    @Test("A file that is too large is refused while it comes in, and leaves nothing")
    func tooLarge() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.largestImport = 100_000 }) { bench in
            let token = try await bench.token(.admin)
            let long = String(repeating: " ", count: 100_001)
            let reply = try await send(bench, [("file", "a.json", long)], token: token)
            #expect(reply.status == 413 && reply.json["code"] as? String == "too_large")
            #expect(try await send(bench, [("file", "a.json", String(long.dropLast()))], token: token).status == 400)
            #expect(try bench.hiddenFiles().isEmpty)
        }
    }

    private func beginUpload(_ bench: ServiceBench, _ token: String, _ content: String = "") throws -> RawClient {
        let client = try RawClient(port: bench.port)
        client.send(
            "POST \(ExchangeTests.base)/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                + "Content-Type: multipart/form-data; boundary=bound\r\nContent-Length: 900000\r\n\r\n\(content)")
        return client
    }

    @Test("No more imports are received at a time than may be, and who is turned away hears it before the file is sent")
    func places() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.mostImports = 1 }) { bench in
            let token = try await bench.token(.admin)
            let whole = ExchangeTests.form([("file", "a.json", String(repeating: "x", count: 800_000))])
            var first: RawClient? = try beginUpload(bench, token, String(whole.prefix(100_000)))
            try await bench.until { try !bench.hiddenFiles().isEmpty }
            let second = await (try beginUpload(bench, token)).read(seconds: 10)
            #expect(second.status == 503 && second.isClosed, "\(second.text)")
            #expect(second.text.lowercased().contains("retry-after"))
            #expect(first != nil)
            first = nil
            try await bench.until { try bench.hiddenFiles().isEmpty }
            // The place is free again.
            try await bench.until { try await send(bench, [("file", "a.json", "hello")], token: token).status == 400 }
        }
    }

    @Test("Where the queue is full the file is not received; what is received has its place in the queue")
    func fullQueue() async throws {
        try await ServiceBench.with(settings: { settings, _ in
            settings.maximumRuns = 1
            settings.longestQueue = 1
        }) { bench in
            let token = try await bench.token(.admin)
            for name in ["a", "b"] {
                var change = BackupJobChange()
                change.name = name
                change.options.preCommand = .set("while [ ! -e '\(bench.directory)/go' ]; do sleep 0.02; done")
                _ = try await bench.engine.createJob(change)
            }
            func run(_ id: Int) async throws -> ServiceBench.Reply {
                try await bench.ask(
                    .POST, ExchangeTests.base + "/jobs/\(id)/run", token: token,
                    headers: [("Prefer", "respond-async")])
            }
            #expect(try await run(1).status == 202)
            let whole = ExchangeTests.form([("file", "a.json", String(repeating: "x", count: 800_000))])
            var upload: RawClient? = try beginUpload(bench, token, String(whole.prefix(100_000)))
            try await bench.until { try !bench.hiddenFiles().isEmpty }
            #expect(try await run(2).status == 503)
            #expect(upload != nil)
            upload = nil
            try await bench.until { try await run(2).status == 202 }
            let refused = await (try beginUpload(bench, token)).read(seconds: 10)
            #expect(refused.status == 503 && refused.isClosed, "\(refused.text)")
            #expect(try bench.hiddenFiles().isEmpty)
            try Data().write(to: URL(filePath: bench.directory + "/go"))
            try await bench.until {
                let list = try await bench.ask(.GET, ExchangeTests.base + "/runs", token: token).json["runs"]
                return (list as? [[String: Any]])?.allSatisfy { $0["state"] as? String == "completed" } ?? false
            }
        }
    }

    @Test("A client that goes away in the middle of its file leaves nothing")
    func gone() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            let channel = try await bootstrap.connect(host: "127.0.0.1", port: bench.port).get()
            let whole = ExchangeTests.form([("file", "a.json", String(repeating: "x", count: 200_000))])
            let head =
                "POST \(ExchangeTests.base)/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                + "Content-Type: multipart/form-data; boundary=bound\r\nContent-Length: \(whole.utf8.count)\r\n\r\n"
            try await channel.writeAndFlush(ByteBuffer(string: head + whole.prefix(100_000)))
            try await bench.until { try !bench.hiddenFiles().isEmpty }
            try await channel.close()
            try await bench.until { try bench.hiddenFiles().isEmpty }
            #expect(try ExchangeTests.users(bench) == "ada,bob")
        }
    }
}
