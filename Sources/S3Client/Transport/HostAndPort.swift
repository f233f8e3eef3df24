/// `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT`, or a bare IPv6 address.
enum HostAndPort {
    /// - Returns: the host without brackets; nil where the text is none of these.
    static func split(_ text: Substring) -> (host: String, port: Int?)? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            if rest.isEmpty { return (host, nil) }
            guard rest.hasPrefix(":"), let port = port(rest.dropFirst()) else { return nil }
            return (host, port)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count > 2 { return (String(text), nil) }
        guard parts.count == 2 else { return (String(text), nil) }
        guard let port = port(parts[1]) else { return nil }
        return (String(parts[0]), port)
    }

    static func port(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = Int(text) else {
            return nil
        }
        return (1...65_535).contains(port) ? port : nil
    }

    /// What may stand for a host in an address, by its characters.
    static func isPlausible(_ host: String) -> Bool {
        !host.isEmpty
            && host.utf8.allSatisfy { byte in
                byte > 0x20 && byte != 0x7F && !"/?#@[]\\\"<>^`{|}%".utf8.contains(byte)
            }
    }
}
