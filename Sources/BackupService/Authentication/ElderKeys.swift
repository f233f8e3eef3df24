internal import BackupCore
internal import CryptoExtras
internal import Foundation
internal import JWTKit

/// The keys that Elder's tokens are verified with, each bound to its one algorithm: what a token's header asks for can
/// only choose among them, so a public key is never taken for a secret. `none` is no algorithm here.
struct ElderKeys: Sendable {
    private var collections: [String: [JWTKeyCollection]] = [:]

    /// - Parameter secret: of HS256.
    /// - Throws: `configuration` for a secret that can be guessed, or that is no secret.
    init(secret: Secret?, publicKeyFiles: [String]) async throws(BackupError) {
        if let secret { add(try await ElderKeys.secret(secret), "HS256") }
        for path in publicKeyFiles {
            let (collection, algorithm) = try await ElderKeys.publicKey(of: path)
            add(collection, algorithm)
        }
    }

    /// The keys of an algorithm. Each collection has one key, so that a token's `kid` chooses nothing.
    func keys(of algorithm: String) -> [JWTKeyCollection] { collections[algorithm] ?? [] }

    private mutating func add(_ collection: JWTKeyCollection, _ algorithm: String) {
        collections[algorithm, default: []].append(collection)
    }

    private static func secret(_ secret: Secret) async throws(BackupError) -> JWTKeyCollection {
        let count = secret.revealed.utf8.count
        guard count >= ServiceSettings.shortestKey else {
            throw BackupError(
                .configuration,
                "JWT_SECRET_KEY, or SECRET_KEY in its place, has \(count) bytes, which can be guessed: give it at least "
                    + "\(ServiceSettings.shortestKey)")
        }
        // Who knows a public key could sign with it.
        guard !secret.revealed.contains("-----BEGIN") else {
            throw BackupError(
                .configuration,
                "JWT_SECRET_KEY, or SECRET_KEY in its place, holds a key in PEM, which is no secret of HS256: put a public "
                    + "key into a file and name it in JWT_PUBLIC_KEY_FILE")
        }
        return await JWTKeyCollection().add(hmac: HMACKey(from: secret.revealed), digestAlgorithm: .sha256)
    }

    private static func publicKey(of path: String) async throws(BackupError) -> (JWTKeyCollection, String) {
        let pem = try text(of: path)
        guard !pem.contains("PRIVATE KEY-----") else {
            throw wrong(path, "holds a private key, which does not belong here: name the public key's file")
        }
        if let key = try? ES256PublicKey(pem: pem) { return (await JWTKeyCollection().add(ecdsa: key), "ES256") }
        if let key = try? _RSA.Signing.PublicKey(unsafePEMRepresentation: pem) {
            guard key.keySizeInBits >= 2_048, let key = try? Insecure.RSA.PublicKey(backing: key) else {
                throw wrong(path, "holds an RSA key of \(key.keySizeInBits) bits: allowed are 2048 and more")
            }
            return (await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256), "RS256")
        }
        throw wrong(path, "holds no public key in PEM of RSA (2048 bits and more) or of the curve P-256")
    }

    private static func text(of path: String) throws(BackupError) -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 64 << 10 else {
            throw wrong(path, "cannot be read, or has more than 64 KiB")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func wrong(_ path: String, _ what: String) -> BackupError {
        BackupError(.configuration, "JWT_PUBLIC_KEY_FILE: \(path) \(what)")
    }
}
