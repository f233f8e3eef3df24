/// One request as it will go out, before it is signed. Its description shows no header: some hold keys.
package struct SigningRequest: Sendable, CustomStringConvertible {
    package var method: String
    /// As the header `Host` will have it: with the port where it is not the scheme's own.
    package var host: String
    /// Not encoded, as in `/bucket/key with space`.
    package var path: String
    /// Names and values, not encoded. In any order; a name without a value is signed and sent as `name=`.
    package var query: [(String, String?)]
    /// Without `host` and without those that signing adds (``SignedRequest/headers``): here they are passed over.
    package var headers: [(String, String)]
    /// SHA-256 of the body in hexadecimal, or ``unsignedPayload``.
    package var payloadHash: String

    /// In the place of a hash, where the body is not signed: https only.
    package static let unsignedPayload = "UNSIGNED-PAYLOAD"
    /// SHA-256 of no bytes.
    package static let emptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    package init(
        method: String, host: String, path: String, query: [(String, String?)] = [],
        headers: [(String, String)] = [], payloadHash: String = emptyPayloadHash
    ) {
        self.method = method
        self.host = host
        self.path = path
        self.query = query
        self.headers = headers
        self.payloadHash = payloadHash
    }

    package var description: String { "\(method) \(host)\(path)" }
}

/// What signing makes of a request. Its description shows neither signature nor token.
package struct SignedRequest: Sendable, CustomStringConvertible {
    /// Path and query exactly as they must go out, as in `/bucket/key%20with%20space?uploads=`.
    package var target: String
    /// To be added to those of the request: `x-amz-date`, `authorization`, for S3 `x-amz-content-sha256`, and
    /// `x-amz-security-token` with temporary credentials.
    package var headers: [(String, String)]

    package var description: String { "signed request of \(target)" }
}
