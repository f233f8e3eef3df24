internal import BackupCore
internal import Crypto
internal import Foundation

/// A secret as a column holds it: `v1:KEYID:BASE64`, AES-256 in GCM (NIST SP 800-38D) with a random nonce.
///
/// What is encrypted is bound to its place: a value that is moved to another row, column or table cannot be read.
struct SealedText {
    /// Where a secret lies.
    struct Place {
        var table = "backup_jobs"
        var column: String
        /// Tells the row from any other of any catalog.
        var uuid: String

        /// Source: additional authenticated data of GCM; a separator that no part holds keeps the parts apart.
        fileprivate var authenticated: Data {
            Data(["elder-backup", SealedText.version, table, column, uuid].joined(separator: "\u{0}").utf8)
        }
    }

    private static let version = "v1"

    /// Of the key that it was encrypted with.
    let keyID: String
    /// Nonce, ciphertext and tag, in this order.
    private let box: Data

    /// - Returns: nil where the text is not of this form: then it is a plain one, as Elder leaves it.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == SealedText.version,
            parts[1].utf8.count == SealedText.keyIDLength,
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let box = Data(base64Encoded: String(parts[2])), box.count >= SealedText.overhead
        else { return nil }
        keyID = String(parts[1])
        self.box = box
    }

    /// Nonce and tag, in bytes.
    private static let overhead = 12 + 16
    /// In hexadecimal digits.
    private static let keyIDLength = 16

    static func seal(_ secret: Secret, with key: SecretKey, at place: Place) throws -> String {
        let sealed = try AES.GCM.seal(
            Data(secret.revealed.utf8), using: SymmetricKey(data: key.bytes), authenticating: place.authenticated)
        guard let box = sealed.combined else {
            throw BackupError(.internal, "a secret could not be encrypted: the nonce has an odd length")
        }
        return "\(version):\(id(of: key)):\(box.base64EncodedString())"
    }

    /// - Returns: nil where it was altered, or lies elsewhere than where it was put.
    func open(with key: SecretKey, at place: Place) -> Secret? {
        guard let sealed = try? AES.GCM.SealedBox(combined: box),
            let data = try? AES.GCM.open(
                sealed, using: SymmetricKey(data: key.bytes), authenticating: place.authenticated)
        else { return nil }
        return String(validating: data, as: UTF8.self).map { Secret($0) }
    }

    /// Tells keys apart without telling of them.
    static func id(of key: SecretKey) -> String {
        let digest = SHA256.hash(data: Data("elder-backup key id\u{0}".utf8) + Data(key.bytes))
        return digest.prefix(keyIDLength / 2).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
