package import BackupCore
internal import Crypto
internal import Foundation

/// Reads the tokens that Elder signs: JWTs (RFC 7519) with HMAC-SHA256 and nothing else, whatever their header asks for.
package struct ElderTokenVerifier: Sendable {
    private let key: SymmetricKey
    private let admins: Set<String>

    /// - Throws: `configuration` for a key that is too short to be safe.
    package init(key: Secret, admins: Set<String>) throws(BackupError) {
        let bytes = Data(key.revealed.utf8)
        guard bytes.count >= ServiceSettings.shortestKey else {
            throw BackupError(
                .configuration,
                "JWT_SECRET_KEY, or SECRET_KEY in its place, has \(bytes.count) bytes, which can be guessed: give it at least "
                    + "\(ServiceSettings.shortestKey)")
        }
        self.key = SymmetricKey(data: bytes)
        self.admins = admins
    }

    private struct Header: Decodable {
        var alg: String
    }

    private struct Claims: Decodable {
        var sub: String
        var type: String
        var exp: Double
    }

    /// Elder's tokens carry no role: those of the named subjects are admins, and nobody else is anybody.
    func caller(_ token: String, at now: Timestamp) throws -> Caller {
        let claims = try claims(token, at: now)
        guard admins.contains(claims.sub) else {
            throw Refusal.forbidden(
                "the subject \(claims.sub.prefix(60)) may not do this: it is not among ELDER_ADMIN_SUBJECTS")
        }
        return Caller(name: "elder:\(claims.sub)", role: .admin)
    }

    private func claims(_ token: String, at now: Timestamp) throws -> Claims {
        let invalid = Refusal.unauthenticated("the token is not valid: it is unknown, expired or revoked")
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= 8_192, parts.count == 3, let code = Self.bytes(parts[2]),
            let header = Self.bytes(parts[0]), let body = Self.bytes(parts[1])
        else { throw invalid }
        let signed = Data("\(parts[0]).\(parts[1])".utf8)
        // Compares in constant time.
        guard HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key),
            let head = try? JSONDecoder().decode(Header.self, from: header), head.alg == "HS256",
            let claims = try? JSONDecoder().decode(Claims.self, from: body)
        else { throw invalid }
        guard claims.exp > Double(now.microseconds) / 1_000_000 else {
            throw Refusal.unauthenticated("the token has expired")
        }
        guard ["access", "portal_user"].contains(claims.type) else {
            throw Refusal.unauthenticated("a token of this type does not open the API")
        }
        return claims
    }

    private static func bytes(_ text: Substring) -> Data? {
        var text = text.replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: String(text))
    }
}
