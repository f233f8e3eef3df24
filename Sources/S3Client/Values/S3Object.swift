/// An object's address within a store.
public struct S3Object: Sendable, Hashable, CustomStringConvertible {
    public var bucket: String
    /// 1 to 1,024 bytes of UTF-8, not encoded.
    public var key: String

    public init(_ bucket: String, _ key: String) {
        self.bucket = bucket
        self.key = key
    }

    public var description: String { bucket + "/" + key }
}
