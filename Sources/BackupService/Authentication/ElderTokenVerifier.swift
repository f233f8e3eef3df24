package import BackupCore
internal import Foundation
internal import JWTKit

/// Reads the tokens that Elder signs: JWTs (RFC 7519) with HS256, RS256 or ES256, as the keys that there are allow.
package struct ElderTokenVerifier: Sendable {
    private let keys: ElderKeys
    private let issuer: String?
    private let audience: String?

    /// By how many seconds the clock of who signed a token may be ahead.
    private static let leeway = 30.0
    private static let longestToken = 8_192

    /// - Parameters:
    ///   - secret: of HS256; nil lets no token of it in.
    ///   - publicKeyFiles: of RS256 and ES256, in PEM.
    ///   - issuer: what `iss` must say; nil for anything.
    ///   - audience: what `aud` must name; nil for anything.
    /// - Throws: `configuration` for a key that is not there, or too weak.
    package init(
        secret: Secret?, publicKeyFiles: [String] = [], issuer: String? = nil, audience: String? = nil
    ) async throws(BackupError) {
        keys = try await ElderKeys(secret: secret, publicKeyFiles: publicKeyFiles)
        self.issuer = issuer
        self.audience = audience
    }

    /// `jwk`, `jku`, `x5u` and `kid` are not even read: no token brings its own key, or chooses one.
    private struct Header: Decodable {
        var alg: String
        /// What must be understood, and is not.
        var crit: [String]?
    }

    private struct Claims: JWTPayload {
        var sub: String
        var type: String
        var exp: Double
        var nbf: Double?
        var iat: Double?
        var iss: String?
        var aud: Audience?

        /// The time is not known here; ``ElderTokenVerifier/check(_:at:)`` looks at everything.
        func verify(using algorithm: some JWTAlgorithm) {}
    }

    /// One name, or a list of them.
    private enum Audience: Codable, Sendable {
        case one(String)
        case many([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let name = try? container.decode(String.self) {
                self = .one(name)
            } else {
                self = .many(try container.decode([String].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .one(let name): try container.encode(name)
            case .many(let names): try container.encode(names)
            }
        }

        func names(_ audience: String) -> Bool {
            switch self {
            case .one(let name): name == audience
            case .many(let names): names.contains(audience)
            }
        }
    }

    /// Whom a token stands for.
    ///
    /// - Throws: `Refusal` (401); ``Refusal/isGuess`` where it may be a guess.
    func subject(_ token: String, at now: Timestamp) async throws -> ElderSubject {
        let claims = try await claims(token)
        try check(claims, at: Double(now.microseconds) / 1_000_000)
        guard let kind = ElderSubject.Kind(rawValue: claims.type) else {
            throw Refusal.unauthenticated("a token of this type does not open the API")
        }
        guard let id = Int64(claims.sub), id > 0 else {
            throw Refusal.unauthenticated("the token's subject is not the number of one of Elder's users")
        }
        return ElderSubject(kind: kind, id: id)
    }

    private func claims(_ token: String) async throws -> Claims {
        guard token.utf8.count <= ElderTokenVerifier.longestToken,
            let head = token.split(separator: ".", omittingEmptySubsequences: false).first,
            let data = ElderTokenVerifier.bytes(head),
            let header = try? JSONDecoder().decode(Header.self, from: data), header.crit == nil
        else { throw Refusal.invalidToken }
        for key in keys.keys(of: header.alg) {
            if let claims = try? await key.verify(token, as: Claims.self) { return claims }
        }
        throw Refusal.invalidToken
    }

    private func check(_ claims: Claims, at now: Double) throws {
        guard claims.exp > now else { throw Refusal.unauthenticated("the token has expired") }
        let latest = now + ElderTokenVerifier.leeway
        guard claims.nbf ?? latest <= latest, claims.iat ?? latest <= latest else {
            throw Refusal.unauthenticated("the token is not valid yet: compare this machine's clock with Elder's")
        }
        if let issuer, claims.iss != issuer {
            throw Refusal.unauthenticated("the token is of another issuer than JWT_ISSUER names")
        }
        if let audience, !(claims.aud?.names(audience) ?? false) {
            throw Refusal.unauthenticated("the token is not for the audience that JWT_AUDIENCE names")
        }
    }

    private static func bytes(_ text: Substring) -> Data? {
        var text = text.replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: String(text))
    }
}
