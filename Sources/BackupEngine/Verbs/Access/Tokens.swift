package import BackupCore
internal import Crypto
internal import Foundation
internal import Logging

/// A token that was just made. Its text is told once and kept nowhere.
package struct TokenResponse: Sendable, Encodable {
    /// What a caller sends: `Authorization: Bearer TEXT`.
    package var text: String
    package var token: AccessToken

    private enum CodingKeys: String, CodingKey {
        case text = "token"
        case token = "details"
    }
}

extension BackupEngine {
    /// Makes an API token.
    ///
    /// - Parameter lifetime: nil for one that does not end by itself.
    /// - Throws: `usage` for a name that cannot be, or that a valid token has.
    package func createToken(name: String, role: AccessRole, lifetime: Duration? = nil) async throws -> TokenResponse {
        let name = name.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...255).contains(name.unicodeScalars.count),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            throw BackupError(.usage, "a token's name has 1 to 255 characters, and no control characters")
        }
        let text = AccessTokenText.random()
        return try await audited(
            "token.create", "token \(name)", detail: role.rawValue, describe: { "token \($0.token.id)" }
        ) {
            try await BlockingThread.run(named: "create-token") { _ in
                let now = Timestamp.now()
                let end = lifetime.map { now.microseconds + $0.components.seconds * 1_000_000 }
                let token = AccessToken(
                    id: 0, name: name, role: role, createdAt: now, expiresAt: end.map { Timestamp(microseconds: $0) })
                let created = try self.catalog.createToken(token, hash: AccessTokenText.hash(text))
                return TokenResponse(text: text, token: created)
            }
        }
    }

    package func tokens() async throws -> [AccessToken] {
        try await CatalogThreads.run { try self.catalog.tokens() }
    }

    /// Makes a token worthless.
    ///
    /// - Parameter reference: its id or name.
    /// - Throws: `notFound`.
    package func revokeToken(_ reference: String) async throws -> AccessToken {
        try await audited("token.revoke", "token \(reference)", describe: { "token \($0.id)" }) {
            let token = try await BlockingThread.run(named: "revoke-token") { _ in
                let now = Timestamp.now()
                let tokens = try self.catalog.tokens()
                let named = tokens.filter { $0.name == reference }
                let found =
                    tokens.first { Int64(reference) == $0.id } ?? named.first { $0.isValid(at: now) } ?? named.last
                guard let found else {
                    throw BackupError(
                        .notFound,
                        "there is no token \"\(reference)\": `elder-backup token list` shows those there are")
                }
                return try self.catalog.revokeToken(id: found.id, at: now)
            }
            knownTokens.forgetAll()
            return token
        }
    }

    /// Whose token this is; nil for none that is valid now. Its use is written down, at most once a minute. A token that
    /// another process revokes is known for a few seconds more (``KnownTokens``), one that this process revokes is not.
    package func authenticate(token text: String) async throws -> AccessToken? {
        // What cannot be a token is not worth a look into the catalog.
        guard AccessTokenText.isPlausible(text) else { return nil }
        let hash = AccessTokenText.hash(text)
        let now = Timestamp.now()
        let era = knownTokens.era
        var found = knownTokens.find(hash, at: now)
        if found == nil {
            found = try await CatalogThreads.run { try self.catalog.token(hash: hash) }
            if let found { knownTokens.remember(found, hash, era: era, at: now) }
        }
        guard let token = found, token.isValid(at: now) else { return nil }
        if knownTokens.mustNoteUse(of: token, at: now) { await noteUse(of: token, at: now) }
        return token
    }

    private func noteUse(of token: AccessToken, at now: Timestamp) async {
        do {
            try await CatalogThreads.run { try self.catalog.noteUse(ofToken: token.id, at: now) }
        } catch {
            // When a token was last used is worth knowing, and no reason to refuse it.
            logger.warning("the use of a token could not be written down", metadata: ["error": "\(error)"])
        }
    }
}

/// The text of a token: `ebt_` and 256 random bits in base64url (RFC 4648, section 5). That many cannot be guessed, so a
/// plain SHA-256 is enough to keep it by, and a look-up by hash tells nothing by the time it takes.
enum AccessTokenText {
    private static let prefix = "ebt_"
    private static let length = 47

    static func random() -> String {
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        let text = bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        return prefix + text.replacing("=", with: "")
    }

    static func isPlausible(_ text: String) -> Bool { text.hasPrefix(prefix) && text.utf8.count == length }

    static func hash(_ text: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: SHA256.hash(data: Data(text.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }
}
