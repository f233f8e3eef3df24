import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("Who may call the service")
struct AuthenticationTests {
    private static let base = "/api/v1/backup"
    /// All routes, and the least role that each needs.
    static let routes = listed + heads
    /// HEAD is answered wherever GET is, but for streams.
    private static let heads = listed.filter { $0.method == .GET && !$0.path.hasSuffix("/events") }.map { route in
        (method: HTTPMethod.HEAD, path: route.path, role: route.role)
    }
    private static let listed: [(method: HTTPMethod, path: String, role: AccessRole)] = [
        (.GET, base, .viewer), (.GET, base + "/stats", .viewer), (.GET, base + "/1", .viewer),
        (.GET, base + "/jobs", .viewer), (.GET, base + "/jobs/1", .viewer), (.GET, base + "/jobs/1/retention", .viewer),
        (.POST, base + "/jobs/99/run", .operator), (.POST, base + "/99/verify", .operator),
        (.POST, base + "/99/upload", .operator), (.POST, base + "/upload-missing", .operator),
        (.GET, base + "/99/download", .operator), (.POST, base + "/jobs", .admin), (.PUT, base + "/jobs/99", .admin),
        (.DELETE, base + "/jobs/99", .admin), (.DELETE, base + "/99", .admin), (.POST, base + "/99/restore", .admin),
        (.GET, base + "/audit", .admin), (.GET, base + "/runs", .viewer), (.GET, base + "/runs/99", .viewer),
        (.GET, base + "/runs/99/events", .viewer), (.POST, base + "/runs/99/cancel", .operator),
        (.GET, base + "/99/events", .viewer), (.POST, base + "/99/cancel", .operator),
        (.POST, base + "/export", .operator),
        (.GET, base + "/export/99/download", .operator),
        (.POST, base + "/import", .admin), (.GET, "/metrics", .viewer), (.GET, "/openapi.json", .viewer),
    ]

    @Test("Every route that the description names is among those whose role is tested")
    func complete() async throws {
        try await ServiceBench.with { bench in
            let reply = try await bench.ask(.GET, "/openapi.json", token: try await bench.token(.viewer))
            let paths = try #require(reply.json["paths"] as? [String: [String: Any]])
            let tested = Set(
                AuthenticationTests.routes.map { route in
                    "\(route.method.rawValue) "
                        + route.path.replacing("/export/99/", with: "/export/{filename}/")
                        .split(separator: "/", omittingEmptySubsequences: false)
                        .map { Int($0) == nil ? $0 : "{id}" }.joined(separator: "/")
                })
            let described = paths.flatMap { path, operations in operations.keys.map { "\($0.uppercased()) \(path)" } }
            #expect(described.count > 25)
            let open = ["GET /health", "GET /ready", "HEAD /health", "HEAD /ready"]
            #expect(Set(described).subtracting(open).subtracting(tested).sorted() == [])
        }
    }

    @Test("Without a token every route is 401, and so is what is not there")
    func none() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.signInLimit = 0 }) { bench in
            for route in AuthenticationTests.routes {
                for token in [nil, "ebt_" + String(repeating: "A", count: 43), "x", "a.b.c"] {
                    let reply = try await bench.ask(route.method, route.path, token: token)
                    #expect(reply.status == 401, "\(route)")
                    #expect(reply.headers.first(name: "WWW-Authenticate") == "Bearer")
                    guard route.method != .HEAD else { continue }
                    #expect(!reply.error.isEmpty && reply.json["code"] as? String == "unauthenticated")
                }
            }
            #expect(try await bench.ask(.GET, "/nowhere").status == 401)
            #expect(try await bench.ask(.GET, "/health").status == 200)
            #expect(try await bench.ask(.GET, "/ready").status == 200)
        }
    }

    @Test("Each route opens to its role and those above, and to none below")
    func roles() async throws {
        try await ServiceBench.with { bench in
            for role in AccessRole.allCases {
                let token = try await bench.token(role)
                for route in AuthenticationTests.routes {
                    let reply = try await bench.ask(
                        route.method, route.path, token: token,
                        body: [.GET, .HEAD].contains(route.method) ? nil : "{}")
                    #expect((reply.status == 403) == (role < route.role), "\(role) \(route) \(reply.status)")
                }
            }
        }
    }

    @Test("A token that is revoked or has expired opens nothing; its use is written down")
    func ends() async throws {
        try await ServiceBench.with { bench in
            let made = try await bench.engine.createToken(name: "ci", role: .viewer, lifetime: .seconds(3_600))
            #expect(try await bench.ask(.GET, "/api/v1/backup", token: made.text).status == 200)
            let used = try #require(try await bench.engine.tokens().first)
            #expect(used.lastUsedAt != nil && used.expiresAt.map { $0 > used.createdAt } == true)
            _ = try await bench.engine.revokeToken("ci")
            #expect(try await bench.ask(.GET, "/api/v1/backup", token: made.text).status == 401)
            let again = try await bench.engine.createToken(name: "ci", role: .viewer)
            try ServiceBench.query(
                "UPDATE api_tokens SET expires_at = '2020-01-01 00:00:00' WHERE id = \(again.token.id)",
                on: bench.directory + "/backups/catalog.sqlite")
            #expect(try await bench.ask(.GET, "/api/v1/backup", token: again.text).status == 401)
        }
    }

    @Test(
        "A token that another process revokes opens nothing a few seconds later, and one that this one revokes at once")
    func revoked() async throws {
        try await ServiceBench.with { bench in
            let path = AuthenticationTests.base
            let (here, elsewhere) = (try await bench.token(.viewer), try await bench.token(.viewer))
            for token in [here, elsewhere] { #expect(try await bench.ask(.GET, path, token: token).status == 200) }
            _ = try await bench.engine.revokeToken("1")
            #expect(try await bench.ask(.GET, path, token: here).status == 401)
            let other = try await BackupEngine.open(
                configuration: bench.engine.configuration, logger: ServiceBench.logger)
            _ = try await other.revokeToken("2")
            let start = ContinuousClock.now
            var status = 200
            while status == 200, ContinuousClock.now - start < .seconds(20) {
                status = try await bench.ask(.GET, path, token: elsewhere).status
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(status == 401 && ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test("Many requests at once write a token's use down once")
    func uses() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.viewer)
            try ServiceBench.query(
                "CREATE TABLE uses(n); CREATE TRIGGER used AFTER UPDATE OF last_used_at ON api_tokens "
                    + "BEGIN INSERT INTO uses VALUES (1); SELECT CASE WHEN (SELECT count(*) FROM uses) > 1 "
                    + "THEN RAISE(ABORT, 'twice') END; END", on: bench.directory + "/backups/catalog.sqlite")
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await bench.ask(.GET, AuthenticationTests.base, token: token).status }
                }
                for try await status in group { #expect(status == 200) }
            }
            #expect(try await bench.engine.tokens().first?.lastUsedAt != nil)
            // The trigger has seen one write, since a second one would have been rolled back with its row.
            try ServiceBench.query(
                "CREATE TABLE once(n CHECK (n = 1)); INSERT INTO once SELECT count(*) FROM uses",
                on: bench.directory + "/backups/catalog.sqlite")
        }
    }

    @Test("A token's text is nowhere in the catalog")
    func secrecy() async throws {
        try await ServiceBench.with { bench in
            let text = try await bench.token(.admin)
            for name in try FileManager.default.contentsOfDirectory(atPath: bench.directory + "/backups")
            where name.hasPrefix("catalog") {
                let data = try Data(contentsOf: URL(filePath: bench.directory + "/backups/" + name))
                #expect(data.range(of: Data(text.dropFirst(4).utf8)) == nil)
            }
        }
    }
}
