import BackupCore
import BackupEngine
import BackupService
import Crypto
import Foundation
import NIOHTTP1
import Testing

/// Tokens as Elder signs them, and as others forge them.
struct SignedToken {
    var subject = "7"
    var type = "access"
    var algorithm = "HS256"
    var expires: Double? = 4_000_000_000
    /// Further claims and fields of the header, as JSON with a comma in front.
    var claims = ""
    var header = ""

    private var content: String {
        let head = SignedToken.encode(Data(#"{"alg":"\#(algorithm)","typ":"JWT"\#(header)}"#.utf8))
        let end = expires.map { #","exp":\#($0)"# } ?? ""
        let body = #"{"sub":"\#(subject)","username":"u","type":"\#(type)"\#(end)\#(claims)}"#
        return head + "." + SignedToken.encode(Data(body.utf8))
    }

    /// By HMAC-SHA256, whatever the header says.
    func signed(_ key: String = ServiceBench.elderKey) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(content.utf8), using: SymmetricKey(data: Data(key.utf8)))
        return content + "." + SignedToken.encode(Data(code))
    }

    func signed(_ key: P256.Signing.PrivateKey) throws -> String {
        content + "." + SignedToken.encode(try key.signature(for: Data(content.utf8)).rawRepresentation)
    }

    /// By RSA, PKCS #1 version 1.5, with the private key of a file.
    func signed(rsaKeyFile path: String) throws -> String {
        let input = path + ".content"
        try Data(content.utf8).write(to: URL(filePath: input))
        let output = path + ".signature"
        try Certificates.openssl("dgst", "-sha256", "-sign", path, "-out", output, input)
        return content + "." + SignedToken.encode(try Data(contentsOf: URL(filePath: output)))
    }

    static func encode(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

@Suite("Elder's tokens")
struct ElderTokenTests {
    private static let path = "/api/v1/backup"

    @Test("Of Elder's tokens those of named subjects are admins, and no other opens anything")
    func secrets() async throws {
        let now = Date().timeIntervalSince1970
        let parts = SignedToken().signed().split(separator: ".")
        var examples: [(String, Int)] = [
            (SignedToken().signed(), 200), (SignedToken(type: "portal_user").signed(), 200),
            (SignedToken(subject: "8").signed(), 403), (SignedToken(subject: "9").signed(), 200),
            (SignedToken(subject: "9", type: "portal_user").signed(), 403),
            (SignedToken(type: "refresh").signed(), 401),
            (SignedToken(subject: "x").signed(), 401), (SignedToken(subject: "-7").signed(), 401),
            (SignedToken(expires: 1_000).signed(), 401), (SignedToken(expires: nil).signed(), 401),
            (SignedToken().signed("another-key-that-is-long-enough-for-it"), 401), ("\(parts[0]).\(parts[1]).", 401),
            ("\(parts[0]).\(parts[1])", 401), (SignedToken(claims: #","nbf":\#(now + 25)"#).signed(), 200),
            (SignedToken(claims: #","nbf":\#(now + 3_600)"#).signed(), 401),
            (SignedToken(claims: #","iat":\#(now + 25)"#).signed(), 200),
            (SignedToken(claims: #","iat":\#(now + 3_600)"#).signed(), 401),
            (SignedToken(header: #","crit":["exp"]"#).signed(), 401),
            (
                SignedToken(
                    header: #","kid":"../../etc/passwd","jku":"http://127.0.0.1:1/k","x5u":"http://127.0.0.1:1/"#
                        + #"c""#
                ).signed(), 200
            ),
        ]
        examples += ["none", "None", "hs256", "RS256", "ES256", "HS384", "HS512", ""].map {
            (SignedToken(algorithm: $0).signed(), 401)
        }
        let tokens = examples
        try await ServiceBench.with(settings: { settings, _ in
            settings.elder.admins = ["7", "access:9"]
            settings.signInLimit = 0
        }) { bench in
            for (token, status) in tokens {
                let reply = try await bench.ask(.GET, ElderTokenTests.path, token: token)
                #expect(reply.status == status, "\(token): \(reply.error)")
            }
        }
    }

    @Test("Public keys verify what their own private key signed by their own algorithm, and nothing else")
    func publicKeys() async throws {
        let directory = try Certificates.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let curve = P256.Signing.PrivateKey()
        let curvePEM = curve.publicKey.pemRepresentation
        try Data(curvePEM.utf8).write(to: URL(filePath: directory + "/ec.pem"))
        let rsa = directory + "/rsa.key"
        try Certificates.rsaKey(rsa, bits: 2_048)
        try Certificates.openssl("rsa", "-in", rsa, "-pubout", "-out", directory + "/rsa.pem")
        let rsaPEM = try String(contentsOfFile: directory + "/rsa.pem", encoding: .utf8)
        let other = directory + "/other.key"
        try Certificates.rsaKey(other, bits: 2_048)
        let examples: [(String, Int)] = [
            (try SignedToken(algorithm: "ES256").signed(curve), 200),
            (try SignedToken(algorithm: "RS256").signed(rsaKeyFile: rsa), 200),
            // A public key is no secret, and each key has one algorithm.
            (SignedToken(algorithm: "HS256").signed(curvePEM), 401),
            (SignedToken(algorithm: "HS256").signed(rsaPEM), 401),
            (SignedToken(algorithm: "RS256").signed(rsaPEM), 401),
            (try SignedToken(algorithm: "HS256").signed(rsaKeyFile: rsa), 401),
            (try SignedToken(algorithm: "ES256").signed(rsaKeyFile: rsa), 401),
            (try SignedToken(algorithm: "RS512").signed(rsaKeyFile: rsa), 401),
            (try SignedToken(algorithm: "PS256").signed(rsaKeyFile: rsa), 401),
            (try SignedToken(algorithm: "none").signed(rsaKeyFile: rsa), 401),
            (try SignedToken(algorithm: "RS256").signed(rsaKeyFile: other), 401),
            (try SignedToken(algorithm: "ES256").signed(P256.Signing.PrivateKey()), 401),
        ]
        try await ServiceBench.with(settings: { settings, _ in
            settings.elder.secret = nil
            settings.elder.publicKeyFiles = [directory + "/ec.pem", directory + "/rsa.pem"]
            settings.signInLimit = 0
        }) { bench in
            for (token, status) in examples {
                let reply = try await bench.ask(.GET, ElderTokenTests.path, token: token)
                #expect(reply.status == status, "\(token): \(reply.error)")
            }
        }
    }

    @Test("Issuer and audience are compared where they are set")
    func audience() async throws {
        try await ServiceBench.with(settings: { settings, _ in
            settings.elder.issuer = "elder"
            settings.elder.audience = "backup"
        }) { bench in
            let examples = [
                (#","iss":"elder","aud":"backup""#, 200), (#","iss":"elder","aud":["x","backup"]"#, 200),
                (#","iss":"elder","aud":["x"]"#, 401), (#","iss":"elder","aud":[]"#, 401), (#","iss":"elder""#, 401),
                (#","iss":"other","aud":"backup""#, 401), (#","aud":"backup""#, 401),
            ]
            for (claims, status) in examples {
                let reply = try await bench.ask(
                    .GET, ElderTokenTests.path, token: SignedToken(claims: claims).signed())
                #expect(reply.status == status, "\(claims): \(reply.error)")
            }
        }
    }

    @Test("Keys that are weak, or not what they should be, are refused at the start")
    func weakKeys() async throws {
        let directory = try Certificates.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let weak = directory + "/weak.key"
        try Certificates.rsaKey(weak, bits: 1_024)
        try Certificates.openssl("rsa", "-in", weak, "-pubout", "-out", directory + "/weak.pem")
        try Data("no key".utf8).write(to: URL(filePath: directory + "/text.pem"))
        let pem = P256.Signing.PrivateKey().publicKey.pemRepresentation
        for (secret, files, words) in [
            ("short", [], "can be guessed"), (pem, [], "JWT_PUBLIC_KEY_FILE"), (nil, [weak], "private key"),
            (nil, [directory + "/weak.pem"], "1024 bits"), (nil, [directory + "/text.pem"], "no public key"),
            (nil, [directory + "/missing.pem"], "cannot be read"),
        ] as [(String?, [String], String)] {
            do {
                _ = try await ElderTokenVerifier(secret: secret.map { Secret($0) }, publicKeyFiles: files)
                Issue.record("\(words): was taken")
            } catch {
                #expect(error.code == .configuration && error.message.contains(words), "\(error)")
            }
        }
    }

    @Test("Elder's database says who is an admin: identities and users of the portal, in the forms that it has")
    func lookUp() async throws {
        try await ServiceBench.with(settings: { settings, directory in
            settings.elder.admins = []
            settings.elder.looksUp = true
            try? ServiceBench.query(ElderTokenTests.people, on: directory + "/app.sqlite")
        }) { bench in
            func status(_ subject: Int, _ type: String = "access") async throws -> Int {
                let token = SignedToken(subject: "\(subject)", type: type).signed()
                return try await bench.ask(.GET, ElderTokenTests.path, token: token).status
            }
            for (subject, expected) in [
                (1, 200), (2, 200), (3, 403), (4, 403), (5, 200), (6, 403), (7, 403), (99, 403),
            ] {
                let found = try await status(subject)
                #expect(found == expected, "identity \(subject)")
            }
            for (subject, expected) in [(1, 403), (2, 200), (3, 403), (99, 403)] {
                let found = try await status(subject, "portal_user")
                #expect(found == expected, "portal user \(subject)")
            }
        }
    }

    private static let people = """
        CREATE TABLE identities(id INTEGER PRIMARY KEY, username TEXT, is_active CHAR(1), is_superuser CHAR(1),
            portal_role TEXT);
        INSERT INTO identities VALUES (1, 'root', 'T', 'T', 'observer'), (2, 'admin', 'T', 'F', 'admin'),
            (3, 'gone', 'F', 'T', 'admin'), (4, 'viewer', 'T', 'F', 'observer'), (5, 'new', 1, 1, NULL),
            (6, 'null', NULL, 1, 'admin'), (7, 'editor', 1, 0, 'editor');
        CREATE TABLE portal_users(id INTEGER PRIMARY KEY, is_active BOOLEAN, global_role TEXT);
        INSERT INTO portal_users VALUES (1, 1, 'observer'), (2, 1, 'admin'), (3, 0, 'admin');
        """

    @Test("Without Elder's tables nobody is let in, and it is told as a failure of the service")
    func noDatabase() async throws {
        try await ServiceBench.with(settings: { settings, _ in
            settings.elder.admins = ["8"]
            settings.elder.looksUp = true
        }) { bench in
            let reply = try await bench.ask(.GET, ElderTokenTests.path, token: SignedToken().signed())
            #expect(reply.status == 503 && reply.json["code"] as? String == "unavailable")
            #expect(reply.headers.first(name: "Retry-After") != nil)
            let named = try await bench.ask(.GET, ElderTokenTests.path, token: SignedToken(subject: "8").signed())
            #expect(named.status == 200)
        }
    }
}
