/// One word of `no_proxy`.
enum ProxyException: Sendable, Equatable {
    case everything
    /// The host of that name, and those below it, at that port or at any.
    case name(String, port: Int?)
    /// Addresses whose first bits are these.
    case network(IPAddressBytes, prefixLength: Int, port: Int?)

    /// - Parameter word: `*`, `host`, `.domain`, `*.domain`, an address, a network such as `10.0.0.0/8`, each with or
    ///   without a port. nil for what matches nothing.
    init?(_ word: Substring) {
        if word == "*" {
            self = .everything
            return
        }
        if let slash = word.firstIndex(of: "/") {
            guard
                let address = IPAddressBytes(Self.normalized(String(word[..<slash]))),
                let length = Int(word[word.index(after: slash)...]), (0...address.bytes.count * 8).contains(length)
            else { return nil }
            self = .network(address, prefixLength: length, port: nil)
            return
        }
        guard let (host, port) = HostAndPort.split(word) else { return nil }
        let normalized = Self.normalized(host)
        if let address = IPAddressBytes(normalized) {
            self = .network(address, prefixLength: address.bytes.count * 8, port: port)
            return
        }
        let name = normalized.hasPrefix("*.") ? normalized.dropFirst(2) : normalized.drop { $0 == "." }
        guard !name.isEmpty else { return nil }
        self = .name(String(name), port: port)
    }

    /// - Parameter host: normalized.
    func covers(host: String, port: Int) -> Bool {
        switch self {
        case .everything: true
        case .name(let name, let ownPort):
            (ownPort == nil || ownPort == port)
                && (host == name || (host.hasSuffix("." + name) && IPAddressBytes(host) == nil))
        case .network(let network, let prefixLength, let ownPort):
            (ownPort == nil || ownPort == port)
                && IPAddressBytes(host).map { $0.hasPrefix(prefixLength, of: network) } == true
        }
    }

    /// In lower case, without the brackets of IPv6 and without the root's dot.
    static func normalized(_ host: String) -> String {
        var host = host.lowercased()[...]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        if host.hasSuffix(".") { host = host.dropLast() }
        return String(host)
    }
}
