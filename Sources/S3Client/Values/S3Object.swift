/// An object's address within a store.
public struct S3Object: Sendable, Hashable, CustomStringConvertible {
    /// 3 to 63 characters.
    public var bucket: String
    /// 1 to 1,024 bytes of UTF-8, not encoded.
    public var key: String

    /// An address.
    public init(_ bucket: String, _ key: String) {
        self.bucket = bucket
        self.key = key
    }

    /// As in `bucket/key`.
    public var description: String { bucket + "/" + key }
}
