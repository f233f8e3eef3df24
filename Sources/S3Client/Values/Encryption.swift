internal import Crypto
internal import Foundation

/// How an object is encrypted where it lies.
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
public enum ServerSideEncryption: Sendable, Equatable {
    /// With a key of the store (SSE-S3).
    case s3
    /// With a key of the key management service; nil: its default key.
    case kms(keyID: String?)
    /// With a key that comes with each request and that the store forgets (SSE-C). Needs https on most servers.
    case customerKey(CustomerKey)
}

/// A key of 256 bits for SSE-C. Its descriptions do not show it.
public struct CustomerKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    let key: [UInt8]

    /// - Throws: ``S3Error`` of kind `configuration` where there are not 32 bytes.
    public init(_ key: [UInt8]) throws {
        guard key.count == 32 else {
            throw S3Error(.configuration, "a customer's encryption key has 32 bytes, this one has \(key.count)")
        }
        self.key = key
    }

    /// Says what it is, not what it holds.
    public var description: String { "customer key" }
    /// As ``description``.
    public var debugDescription: String { description }

    /// The headers that go with every request for such an object.
    /// - Parameter prefix: `x-amz-` for the object itself, `x-amz-copy-source-` for the source of a copy.
    func headers(prefix: String = "x-amz-") -> [(String, String)] {
        [
            (prefix + "server-side-encryption-customer-algorithm", "AES256"),
            (prefix + "server-side-encryption-customer-key", Data(key).base64EncodedString()),
            (
                prefix + "server-side-encryption-customer-key-md5",
                Data(Insecure.MD5.hash(data: key)).base64EncodedString()
            ),
        ]
    }
}

extension ServerSideEncryption {
    /// For the requests that begin an object: PutObject, CreateMultipartUpload, the target of a copy.
    var headers: [(String, String)] {
        switch self {
        case .s3: return [("x-amz-server-side-encryption", "AES256")]
        case .kms(let keyID):
            let key = keyID.map { [("x-amz-server-side-encryption-aws-kms-key-id", $0)] } ?? []
            return [("x-amz-server-side-encryption", "aws:kms")] + key
        case .customerKey(let key): return key.headers()
        }
    }

    /// Whether an object is encrypted so. Some servers take the request's headers and do nothing about them.
    ///
    /// - Parameter told: ``ObjectHead/encryption``.
    public func isKept(by told: String?) -> Bool {
        switch self {
        case .s3: told == "AES256"
        case .kms: told?.hasPrefix("aws:kms") ?? false
        case .customerKey: told == "sse-c"
        }
    }

    var customerKey: CustomerKey? {
        if case .customerKey(let key) = self { key } else { nil }
    }
}
