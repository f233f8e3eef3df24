internal import Crypto

/// Signature Version 4: values in, values out, without a clock.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
package enum SignatureV4 {
    private static let algorithm = "AWS4-HMAC-SHA256"

    /// Signs by headers.
    ///
    /// Signed are the host, all of `x-amz-*`, and `content-md5`, `content-type`, `date` and `range`; what a proxy may
    /// change on its way is not.
    package static func sign(
        _ request: SigningRequest, credentials: Credentials, region: String, service: String = "s3", date: SigningDate
    ) -> SignedRequest {
        var added = [("x-amz-date", date.timestamp)]
        if service == "s3" { added.append(("x-amz-content-sha256", request.payloadHash)) }
        if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }
        let headers = CanonicalHeaders(host: request.host, request.headers, added: added)
        let path = canonicalPath(request.path)
        let query = canonicalQuery(request.query)
        let scope = "\(date.day)/\(region)/\(service)/aws4_request"
        let signature = signature(
            of: [request.method, path, query, headers.lines, headers.names, request.payloadHash],
            secret: credentials.secretAccessKey, region: region, service: service, date: date, scope: scope)
        added.append(
            (
                "authorization",
                "\(algorithm) Credential=\(credentials.accessKeyID)/\(scope), "
                    + "SignedHeaders=\(headers.names), Signature=\(signature)"
            ))
        return SignedRequest(target: query.isEmpty ? path : "\(path)?\(query)", headers: added)
    }

    /// An address that carries its signature, for whoever has it.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    /// - Parameters:
    ///   - host: with the port where it is not the scheme's own. The one header that is signed.
    ///   - path: not encoded.
    ///   - query: not encoded; signed with the rest.
    ///   - expiresIn: in seconds, 1 to 604,800; temporary credentials may end sooner, and the address with them.
    package static func presign(
        method: String, scheme: String, host: String, path: String, query: [(String, String?)] = [],
        expiresIn seconds: Int, credentials: Credentials, region: String, date: SigningDate
    ) -> String {
        let scope = "\(date.day)/\(region)/s3/aws4_request"
        var query = query
        query.append(("X-Amz-Algorithm", algorithm))
        query.append(("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope)"))
        query.append(("X-Amz-Date", date.timestamp))
        query.append(("X-Amz-Expires", String(seconds)))
        query.append(("X-Amz-SignedHeaders", "host"))
        if let token = credentials.sessionToken { query.append(("X-Amz-Security-Token", token)) }
        let canonicalPath = canonicalPath(path)
        let canonicalQuery = canonicalQuery(query)
        let headers = CanonicalHeaders(host: host, [], added: [])
        let signature = signature(
            of: [
                method, canonicalPath, canonicalQuery, headers.lines, headers.names, SigningRequest.unsignedPayload,
            ],
            secret: credentials.secretAccessKey, region: region, service: "s3", date: date, scope: scope)
        return "\(scheme)://\(host)\(canonicalPath)?\(canonicalQuery)&X-Amz-Signature=\(signature)"
    }

    private static func canonicalPath(_ path: String) -> String {
        path.isEmpty ? "/" : PercentEncoding.path(path)
    }

    private static func canonicalQuery(_ query: [(String, String?)]) -> String {
        query
            .map { name, value in (PercentEncoding.query(name), PercentEncoding.query(value ?? "")) }
            .sorted { $0 < $1 }
            .map { name, value in "\(name)=\(value)" }
            .joined(separator: "&")
    }

    private static func signature(
        of canonicalRequest: [String], secret: String, region: String, service: String, date: SigningDate,
        scope: String
    ) -> String {
        let digest = SHA256.hash(data: Array(canonicalRequest.joined(separator: "\n").utf8))
        let text = "\(algorithm)\n\(date.timestamp)\n\(scope)\n\(Hexadecimal.encode(digest))"
        let key = SigningKeyCache.shared.key(
            for: SigningKeyCache.Scope(secret: secret, day: date.day, region: region, service: service))
        return Hexadecimal.encode(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }
}
