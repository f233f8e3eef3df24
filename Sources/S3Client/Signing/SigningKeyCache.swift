internal import Crypto
internal import Synchronization

/// Keys derived from secrets: four rounds of HMAC that hold for a day, a region and a service.
final class SigningKeyCache: Sendable {
    struct Scope: Sendable, Hashable, Redacted {
        var secret: String
        var day: String
        var region: String
        var service: String
    }

    static let shared = SigningKeyCache()

    /// More than any process uses at a time; yesterday's go when it is full.
    private static let capacity = 32
    private let keys = Mutex<[Scope: SymmetricKey]>([:])

    func key(for scope: Scope) -> SymmetricKey {
        if let known = keys.withLock({ $0[scope] }) { return known }
        let key = Self.derive(scope)
        keys.withLock { keys in
            if keys.count >= Self.capacity { keys.removeAll() }
            keys[scope] = key
        }
        return key
    }

    private static func derive(_ scope: Scope) -> SymmetricKey {
        var key = SymmetricKey(data: Array("AWS4\(scope.secret)".utf8))
        for text in [scope.day, scope.region, scope.service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        }
        return key
    }
}
