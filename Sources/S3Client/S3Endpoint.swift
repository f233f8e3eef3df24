internal import Foundation

/// Where a store listens: scheme, host, port, and how buckets are named there.
public struct S3Endpoint: Sendable, Equatable, CustomStringConvertible {
    /// Whether TLS is spoken.
    public enum Scheme: String, Sendable, Equatable { case http, https }

    /// https, unless it was said otherwise.
    public var scheme: Scheme
    /// In lower case; an IPv6 address in brackets.
    public var host: String
    /// Nil: the scheme's own.
    public var port: Int?
    /// How buckets are named.
    public var addressing: S3Addressing
    /// Amazon's own: the host follows the region.
    public var isAmazon: Bool

    /// Amazon S3 in a region: `s3.REGION.amazonaws.com`, in China `….amazonaws.com.cn`.
    /// Source: https://docs.aws.amazon.com/general/latest/gr/s3.html
    public static func aws(region: String) -> S3Endpoint {
        S3Endpoint(
            scheme: .https, host: amazonHost(region: region), port: nil, addressing: .host, isAmazon: true)
    }

    private init(scheme: Scheme, host: String, port: Int?, addressing: S3Addressing, isAmazon: Bool) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.addressing = addressing
        self.isAmazon = isAmazon
    }

    /// Reads an address such as `https://minio.example.com:9000`. Without a scheme https is meant.
    ///
    /// - Parameter addressing: nil takes what the host's ``ProviderProfile`` says.
    /// - Throws: ``S3Error`` of kind `configuration`, saying what is wrong with the address.
    public init(parsing text: String, addressing: S3Addressing? = nil) throws {
        func fail(_ reason: String) -> S3Error {
            S3Error(
                .configuration,
                "\"\(text)\" is not an endpoint: \(reason); write it as https://host or https://host:port")
        }
        var rest = Substring(text)
        var scheme = Scheme.https
        if let mark = text.range(of: "://") {
            guard let known = Scheme(rawValue: text[..<mark.lowerBound].lowercased()) else {
                throw fail("its scheme is neither http nor https")
            }
            scheme = known
            rest = text[mark.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains("/"), !rest.contains("?"), !rest.contains("#") else {
            throw fail("it has a path, and the bucket is named by itself")
        }
        guard !rest.contains("@") else { throw fail("it has a user name, and credentials are given by themselves") }
        var host = rest
        var port: Int?
        let end =
            rest.hasPrefix("[") ? rest.firstIndex(of: "]").map { rest.index(after: $0) } : rest.firstIndex(of: ":")
        if let end, end < rest.endIndex {
            let digits = rest[rest.index(after: end)...]
            guard rest[end] == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
                (1...65_535).contains(number)
            else {
                throw fail("its port is not a number from 1 to 65535")
            }
            host = rest[..<end]
            port = number
        }
        let isAddress = host.hasPrefix("[") && host.hasSuffix("]")
        let isName =
            !host.isEmpty
            && host.utf8.allSatisfy {
                ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z"))
                    || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                    || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
        guard isAddress || isName else { throw fail(host.isEmpty ? "it has no host" : "its host has odd characters") }
        let name = host.lowercased()
        self.scheme = scheme
        self.host = name
        self.port = port == (scheme == .https ? 443 : 80) ? nil : port
        let profile = ProviderProfile.of(host: name)
        self.isAmazon = profile == .aws && name.hasPrefix("s3")
        self.addressing = addressing ?? profile.addressing
    }

    /// With the port, where it is not the scheme's own: what goes into the `Host` header.
    public var authority: String { host + (port.map { ":\($0)" } ?? "") }

    /// As in `https://host:port`.
    public var description: String { "\(scheme.rawValue)://\(authority)" }

    /// Where a request for a bucket goes: the `Host` header, and the raw path in front of the key.
    ///
    /// A name with dots, or with what a host name cannot hold, goes into the path: no certificate covers it.
    package func place(bucket: String?, region: String) -> (authority: String, path: String) {
        var authority = authority
        if isAmazon, host == "s3.amazonaws.com" || host.hasPrefix("s3.") && host.split(separator: ".").count >= 4 {
            let following = S3Endpoint.amazonHost(region: region) + (port.map { ":\($0)" } ?? "")
            authority = host.hasPrefix("s3.dualstack.") ? authority : following
        }
        guard let bucket else { return (authority, "/") }
        if addressing == .host, S3Endpoint.fitsHost(bucket) { return (bucket + "." + authority, "/") }
        return (authority, "/" + bucket + "/")
    }

    private static func amazonHost(region: String) -> String {
        "s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
    }

    private static func fitsHost(_ bucket: String) -> Bool {
        bucket.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")) || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                || $0 == UInt8(ascii: "-")
        }
    }
}
