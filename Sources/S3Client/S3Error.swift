/// What went wrong in a conversation with a store: where, why, and the provider's own words for it.
///
/// ``description`` is one line and safe to log: it holds no key, no secret and no signature.
public struct S3Error: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart.
    public enum Kind: String, Sendable, Equatable, CaseIterable {
        /// The server answered with an error of its own: ``S3Error/status``, and mostly ``S3Error/code``.
        case service
        /// No answer came: name resolution, connection, TLS, or a connection that broke.
        case transport
        /// The server's answer is not what the protocol says.
        case malformedAnswer
        /// No credentials were found, or their source failed.
        case credentials
        /// A setting or an argument makes no sense as given.
        case configuration
        /// What was stored or received is not what was sent.
        case integrity
        /// A local file cannot be read or written.
        case file
        /// The operation took longer than its deadline.
        case deadline
        /// The task was cancelled.
        case cancelled
    }

    /// Which kind of failure.
    public var kind: Kind
    /// The operation by the name of the API reference, such as `PutObject`; empty outside an operation.
    public var operation: String
    /// The bucket that was asked; nil where none was.
    public var bucket: String?
    /// The key that was asked; nil where none was.
    public var key: String?
    /// Of the answer; nil where none came.
    public var status: Int?
    /// The provider's code, such as `NoSuchKey`; nil where the answer has none (HEAD has no body).
    public var code: String?
    /// The provider's message, or this library's. One line.
    public var message: String
    /// `x-amz-request-id`, which a provider's support asks for.
    public var requestID: String?
    /// `x-amz-id-2`.
    public var hostID: String?
    /// The region that the answer names where the request went to a wrong one.
    public var region: String?

    /// A failure.
    public init(
        _ kind: Kind, _ message: String, operation: String = "", bucket: String? = nil, key: String? = nil,
        status: Int? = nil, code: String? = nil, requestID: String? = nil, hostID: String? = nil, region: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.operation = operation
        self.bucket = bucket
        self.key = key
        self.status = status
        self.code = code
        self.requestID = requestID
        self.hostID = hostID
        self.region = region
    }

    /// One line: the operation, the place, the provider's code and message, the request's id.
    public var description: String {
        var text = operation.isEmpty ? "" : operation + " "
        if let bucket { text += bucket + (key.map { "/" + $0 } ?? "") + " " }
        if !text.isEmpty { text = text.dropLast() + ": " }
        switch (code, status) {
        case (let code?, let status?): text += "\(code) (HTTP \(status))"
        case (let code?, nil): text += code
        case (nil, let status?): text += "HTTP \(status)"
        case (nil, nil): break
        }
        if !message.isEmpty { text += (code == nil && status == nil ? "" : ": ") + message }
        if let requestID { text += " [request \(requestID)]" }
        return String(text.map { $0.isNewline ? " " : $0 })
    }
}
