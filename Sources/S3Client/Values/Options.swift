/// What a new object is given.
public struct PutOptions: Sendable, Equatable {
    public var contentType: String?
    /// User metadata without the `x-amz-meta-` in front; lower-case names, ASCII values, 2 KiB in all.
    public var metadata: [String: String] = [:]
    /// Such as `STANDARD_IA`; nil: the bucket's own.
    public var storageClass: String?
    public var encryption: ServerSideEncryption?
    public var lock: ObjectRetention?
    /// Refuse (412) where the key is taken: `If-None-Match: *`.
    public var onlyIfAbsent = false

    public init() {}
}

/// How an object is read.
public struct ReadOptions: Sendable, Equatable {
    public var versionID: String?
    /// For an object that was written with it.
    public var customerKey: CustomerKey?
    /// Refuse (412) where the object is another by now: `If-Match`.
    public var ifMatch: String?

    public init(versionID: String? = nil, customerKey: CustomerKey? = nil, ifMatch: String? = nil) {
        self.versionID = versionID
        self.customerKey = customerKey
        self.ifMatch = ifMatch
    }
}
