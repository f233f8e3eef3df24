internal import Foundation

/// An address of `http` or `https` in its parts, read by the parser that the HTTP client itself goes by, so that a check
/// of the host looks at the host that is connected to.
package struct EndpointAddress: Sendable, Equatable {
    package let isTLS: Bool
    /// In lower case; of IPv6 without brackets.
    package let host: String
    package let port: Int?
    /// Empty or from `/` on, percent-encoded.
    package let path: String
    /// Percent-encoded, with its `?`; empty where there is none.
    package let query: String

    /// - Throws: ``S3Error`` of kind `credentials`; it does not repeat the text, which may hold a password.
    package init(_ text: String) throws(S3Error) {
        guard
            let url = URL(string: text), let parts = URLComponents(url: url, resolvingAgainstBaseURL: false),
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme), let host = url.host,
            !host.isEmpty, (1...65_535).contains(parts.port ?? 80)
        else { throw S3Error(.credentials, "is not an address such as http://HOST:PORT/PATH") }
        guard parts.user == nil, parts.password == nil else {
            throw S3Error(.credentials, "holds a user or a password, which such an address must not")
        }
        isTLS = scheme == "https"
        self.host = ProxyException.normalized(host)
        port = parts.port
        path = parts.percentEncodedPath
        query = parts.percentEncodedQuery.map { "?" + $0 } ?? ""
    }

    /// - Parameter name: of the setting that holds the text, for the error.
    package init(_ text: String, setting name: String) throws(S3Error) {
        do { self = try EndpointAddress(text) } catch {
            throw S3Error(.credentials, "\(name) \(error.message)")
        }
    }

    package var effectivePort: Int { port ?? (isTLS ? 443 : 80) }

    /// As the header `Host` has it.
    package var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        guard let port, port != (isTLS ? 443 : 80) else { return name }
        return "\(name):\(port)"
    }

    /// Scheme and host, without a path.
    package var origin: String { (isTLS ? "https://" : "http://") + hostHeader }
}
