internal import Glibc

/// Names of hosts in one form each, so that two that mean the same are the same text.
package enum HostName {
    /// In lower case and without the dot of the root; an IPv6 address in brackets, as RFC 5952 writes it.
    ///
    /// - Returns: nil for what is no host's name, and for an address in a form that only some programs take for the same
    ///   one: with octal, hexadecimal or missing parts, a zone, or percent-encoding.
    package static func canonical(_ text: some StringProtocol) -> String? {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        if text.hasPrefix("[") {
            guard text.hasSuffix("]") else { return nil }
            return address(String(text.dropFirst().dropLast()), AF_INET6).map { "[\($0)]" }
        }
        var name = text.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard !name.isEmpty, name.utf8.count <= 253, labels.allSatisfy(isLabel), let last = labels.last else {
            return nil
        }
        // What ends in a number is an address to every resolver, in whatever form (RFC 3696, section 2).
        guard last.first?.isNumber == true else { return name }
        return address(name, AF_INET) == name ? name : nil
    }

    /// Takes a host apart from the port behind it; an IPv6 address stands in brackets.
    ///
    /// - Returns: nil where what stands behind the host is no number of a port; the port is nil where nothing does.
    static func split(_ text: Substring) -> (host: Substring, port: Int?)? {
        let end =
            text.hasPrefix("[")
            ? text.firstIndex(of: "]").map { text.index(after: $0) } : text.firstIndex(of: ":")
        guard let end, end < text.endIndex else { return (text, nil) }
        let digits = text[text.index(after: end)...]
        guard text[end] == ":", (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), (1...65_535).contains(port)
        else { return nil }
        return (text[..<end], port)
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// As the system writes it, having read it strictly (inet_pton(3)).
    private static func address(_ text: String, _ family: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(family, text, &bytes) == 1 else { return nil }
        var output = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, bytes, &output, socklen_t(output.count)) != nil else { return nil }
        return String(decoding: output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
