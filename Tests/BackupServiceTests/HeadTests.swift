import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("HEAD")
struct HeadTests {
    private static let base = "/api/v1/backup"

    @Test("HEAD is answered wherever GET is, for the same roles, with GET's headers and no body")
    func everywhere() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let viewer = try await bench.token(.viewer)
            let backup = try await bench.engine.backup(BackupRequest())
            var change = BackupJobChange()
            change.name = "a"
            _ = try await bench.engine.createJob(change)
            let document = try await bench.ask(.GET, "/openapi.json", token: token)
            let paths = try #require(document.json["paths"] as? [String: [String: Any]])
            #expect(paths.count > 20)
            for (path, operations) in paths where operations["get"] != nil && !path.hasSuffix("/events") {
                #expect(operations["head"] != nil, "\(path)")
                let place = path.replacing("{id}", with: "\(backup.backupID)").replacing("{filename}", with: "x.json")
                for caller in [token, viewer, nil] {
                    let get = try await bench.ask(.GET, place, token: caller)
                    let head = try await bench.ask(.HEAD, place, token: caller)
                    #expect(head.status == get.status && head.body.isEmpty, "\(place)")
                    #expect(head.headers.first(name: "Content-Type") == get.headers.first(name: "Content-Type"))
                    // Times and figures may have changed from one to the other.
                    #expect(Int(head.headers.first(name: "Content-Length") ?? "") ?? 0 > 0, "\(place)")
                }
            }
            for path in ["/1/events", "/runs/1/events"] {
                let reply = try await bench.ask(.HEAD, Self.base + path, token: token)
                #expect(reply.status == 405 && reply.headers.first(name: "Allow") == "GET", "\(path)")
            }
            let reply = try await bench.ask(.PATCH, Self.base + "/1", token: token)
            #expect(reply.headers.first(name: "Allow") == "DELETE, GET, HEAD")
            #expect(try await bench.ask(.HEAD, Self.base + "/audit", token: viewer).status == 403)
        }
    }

    @Test("No byte of a body is sent, also of a refusal, so that the next answer of the connection is understood")
    func framing() async throws {
        try await ServiceBench.with { bench in
            let client = try RawClient(port: bench.port)
            let end = " HTTP/1.1\r\nHost: a\r\n\r\n"
            client.send("HEAD /health\(end)HEAD /nowhere\(end)HEAD \(Self.base)\(end)GET /health\(end)")
            let answer = await client.read(until: "\"ok\"}")
            #expect(answer.count == 4 && answer.text.components(separatedBy: "{").count == 2, "\(answer.text)")
        }
    }
}
