/// One operation on a store, before it is addressed, hashed and signed.
package struct S3Request: Sendable {
    /// What guards a body on its way, besides the signature.
    enum Guard: Sendable {
        case none
        /// A digest that the server must compare: the provider's own checksum, else Content-MD5.
        case digest
        /// The same for a part, of which there may be many: the signature's SHA-256 where the server compares that.
        case part(isLocked: Bool)
        /// Content-MD5 whatever else the provider knows.
        case contentMD5
    }

    /// By the name of the API reference.
    var operation: String
    var method: String
    var bucket: String?
    var key: String?
    var query: [(String, String?)] = []
    var headers: [(String, String)] = []
    var body = UploadBody.bytes([])
    var bodyGuard = Guard.none
    /// Where the answer's body goes; nil: into memory.
    var sink: DownloadSink?
    /// Of an answer in memory, in bytes.
    var limit = XMLTree.defaultLimit
    var patience = HTTPTransport.Patience.ordinary
    /// How the name of a success's root element begins; servers differ in its end (`…Result`, `…Response`, nothing).
    /// Some operations report their failure with status 200.
    package var successRoot: String?
    /// A header without which a success is none: something else than the server may have answered.
    package var successHeader: String?
    /// A success has no body: what comes with one is from something else than the server.
    package var successIsEmpty = false
    /// Told when the server asks for fewer requests.
    var throttled: (@Sendable () -> Void)?
    /// False where a lost answer must be looked into before the operation is tried again.
    var repeatsAfterLostAnswer = true

    package init(_ operation: String, _ method: String, bucket: String? = nil, key: String? = nil) {
        self.operation = operation
        self.method = method
        self.bucket = bucket
        self.key = key
    }

    init(_ operation: String, _ method: String, _ object: S3Object) {
        self.init(operation, method, bucket: object.bucket, key: object.key)
    }
}
