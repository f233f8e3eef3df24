/// What a new object is given.
public struct PutOptions: Sendable, Equatable {
    /// As in `application/gzip`.
    public var contentType: String?
    /// User metadata without the `x-amz-meta-` in front; lower-case names, ASCII values, 2 KiB in all.
    public var metadata: [String: String] = [:]
    /// Such as `STANDARD_IA`; nil: the bucket's own.
    public var storageClass: String?
    /// Nil: as the bucket does by itself.
    public var encryption: ServerSideEncryption?
    /// Only on a bucket that was made with object lock.
    public var lock: ObjectRetention?
    /// Refuse (412) where the key is taken: `If-None-Match: *`.
    public var onlyIfAbsent = false

    /// An object with nothing in particular.
    public init() {}
}

/// How an object is read.
public struct ReadOptions: Sendable, Equatable {
    /// Nil: the newest version.
    public var versionID: String?
    /// For an object that was written with it.
    public var customerKey: CustomerKey?
    /// Refuse (412) where the object is another by now: `If-Match`.
    public var ifMatch: String?

    /// How to read.
    public init(versionID: String? = nil, customerKey: CustomerKey? = nil, ifMatch: String? = nil) {
        self.versionID = versionID
        self.customerKey = customerKey
        self.ifMatch = ifMatch
    }
}
