import BackupCore
import BackupEngine
import BackupService
import Crypto
import Foundation
import NIOHTTP1
import Testing

@Suite("Who may call the service")
struct AuthenticationTests {
    private static let base = "/api/v1/backup"
    /// All routes, and the least role that each needs.
    static let routes: [(method: HTTPMethod, path: String, role: AccessRole)] = [
        (.GET, base, .viewer), (.GET, base + "/stats", .viewer), (.GET, base + "/1", .viewer),
        (.GET, base + "/jobs", .viewer), (.GET, base + "/jobs/1", .viewer), (.GET, base + "/jobs/1/retention", .viewer),
        (.POST, base + "/jobs/99/run", .operator), (.POST, base + "/99/verify", .operator),
        (.POST, base + "/99/upload", .operator), (.POST, base + "/upload-missing", .operator),
        (.GET, base + "/99/download", .operator), (.POST, base + "/jobs", .admin), (.PUT, base + "/jobs/99", .admin),
        (.DELETE, base + "/jobs/99", .admin), (.DELETE, base + "/99", .admin), (.POST, base + "/99/restore", .admin),
    ]

    @Test("Without a token every route is 401, and so is what is not there")
    func none() async throws {
        try await ServiceBench.with { bench in
            for route in AuthenticationTests.routes {
                for token in [nil, "ebt_" + String(repeating: "A", count: 43), "x", "a.b.c"] {
                    let reply = try await bench.ask(route.method, route.path, token: token)
                    #expect(reply.status == 401, "\(route)")
                    #expect(reply.headers.first(name: "WWW-Authenticate") == "Bearer")
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
                        route.method, route.path, token: token, body: route.method == .GET ? nil : "{}")
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

    /// A token as Elder signs it.
    private func elder(
        subject: String = "7", type: String = "access", algorithm: String = "HS256",
        key: String = ServiceBench.elderKey, expires: Double = 4_000_000_000
    ) -> String {
        func encode(_ data: Data) -> String {
            data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
        let head = encode(Data(#"{"alg":"\#(algorithm)","typ":"JWT"}"#.utf8))
        let body = encode(
            Data(#"{"sub":"\#(subject)","username":"u","type":"\#(type)","iat":1,"exp":\#(expires)}"#.utf8))
        let signed = "\(head).\(body)"
        let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: SymmetricKey(data: Data(key.utf8)))
        return signed + "." + encode(Data(code))
    }

    @Test("Of Elder's tokens those of named subjects are admins, and no other opens anything")
    func elderTokens() async throws {
        try await ServiceBench.with { bench in
            let parts = elder().split(separator: ".")
            var examples = [
                (elder(), 200), (elder(type: "portal_user"), 200), (elder(subject: "8"), 403),
                (elder(type: "refresh"), 401), (elder(expires: 1_000), 401),
                (elder(key: "another-key-that-is-long-enough-for-it"), 401), ("\(parts[0]).\(parts[1]).", 401),
            ]
            examples += ["none", "hs256", "RS256", "HS512"].map { (elder(algorithm: $0), 401) }
            for (token, status) in examples {
                let reply = try await bench.ask(.GET, "/api/v1/backup", token: token)
                #expect(reply.status == status, "\(token): \(reply.error)")
            }
        }
    }

    @Test("A key of Elder's tokens that can be guessed is refused")
    func shortKey() async throws {
        #expect(throws: BackupError.self) { try ElderTokenVerifier(key: Secret("short"), admins: []) }
    }
}
