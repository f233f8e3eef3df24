internal import Foundation

/// Which proxy a connection goes through, by the environment, in the way of curl: `https_proxy` or `HTTPS_PROXY`, and for
/// plain http `http_proxy` (in lower case only, since a web server hands a client's header `Proxy` to its scripts as
/// `HTTP_PROXY`); else `all_proxy` or `ALL_PROXY`. Not for hosts that `no_proxy` or `NO_PROXY` names.
/// https://everything.curl.dev/usingcurl/proxies/env.html
public struct ProxySettings: Sendable, Equatable {
    /// An HTTP proxy that is asked to connect. Its descriptions show no password.
    public struct Proxy: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
        /// A name or an address, without the brackets of IPv6.
        public var host: String
        /// 1080 where the setting has none, as with curl.
        public var port: Int
        /// nil where the proxy wants none.
        public var user: String?
        /// nil where the setting has none.
        public var password: String?

        /// A proxy by its parts.
        public init(host: String, port: Int, user: String? = nil, password: String? = nil) {
            self.host = host
            self.port = port
            self.user = user
            self.password = password
        }

        /// The value of `Proxy-Authorization`; a secret.
        package var authorization: String? {
            user.map { "Basic " + Data("\($0):\(password ?? "")".utf8).base64EncodedString() }
        }

        /// Host and port.
        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
        /// Host and port.
        public var debugDescription: String { description }
    }

    /// For https.
    public var secure: Proxy?
    /// For http.
    public var plain: Proxy?
    private var exceptions: [ProxyException] = []

    /// No proxy for anything.
    public static let none = ProxySettings()

    private init() {}

    /// Reads the settings. An empty variable is as good as none.
    /// - Throws: ``S3Error`` of kind `configuration` that names the variable, never its value: it may hold a password.
    public static func fromEnvironment(_ environment: [String: String]) throws(S3Error) -> ProxySettings {
        var settings = ProxySettings()
        settings.secure = try proxy(of: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"], in: environment)
        settings.plain = try proxy(of: ["http_proxy", "all_proxy", "ALL_PROXY"], in: environment)
        let exceptions = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
        settings.exceptions = exceptions.split { $0 == "," || $0.isWhitespace }.compactMap { ProxyException($0) }
        return settings
    }

    /// - Parameters:
    ///   - host: a name or an address, of IPv6 with or without brackets.
    ///   - port: the one that is connected to.
    /// - Returns: nil for a direct connection.
    public func proxy(forHost host: String, port: Int, isTLS: Bool) -> Proxy? {
        guard let proxy = isTLS ? secure : plain else { return nil }
        let host = ProxyException.normalized(host)
        return exceptions.contains { $0.covers(host: host, port: port) } ? nil : proxy
    }

    private static func proxy(of names: [String], in environment: [String: String]) throws(S3Error) -> Proxy? {
        for name in names {
            guard let value = environment[name], !value.isEmpty else { continue }
            guard let proxy = Proxy(address: value) else {
                throw S3Error(
                    .configuration,
                    "\(name) is not the address of an HTTP proxy; write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"
                )
            }
            return proxy
        }
        return nil
    }
}

extension ProxySettings.Proxy {
    /// - Parameter address: `[http://][USER[:PASSWORD]@]HOST[:PORT][/]`, user and password percent-encoded.
    init?(address: String) {
        var rest = address[...]
        if let scheme = rest.range(of: "://") {
            guard rest[..<scheme.lowerBound].lowercased() == "http" else { return nil }
            rest = rest[scheme.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var user: String?
        var password: String?
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(String(parts[0]), plusIsSpace: false) else { return nil }
            user = name
            if parts.count == 2 {
                guard let decoded = PercentEncoding.decode(String(parts[1]), plusIsSpace: false) else { return nil }
                password = decoded
            }
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = HostAndPort.split(rest), HostAndPort.isPlausible(host) else { return nil }
        self.init(host: host, port: port ?? 1080, user: user, password: password)
    }
}
