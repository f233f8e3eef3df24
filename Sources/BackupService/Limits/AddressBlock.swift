internal import Glibc

/// An address of the Internet, version 4 or 6. One of version 4 that is written as one of version 6 is the same.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, in the order of the network.
    let bytes: [UInt8]

    package init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
            return
        }
        // The zone of a link-local address names an interface of this machine.
        var six = in6_addr()
        guard inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &six) == 1 else { return nil }
        let all = withUnsafeBytes(of: six) { Array($0) }
        let isMapped = all[..<10].allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
        bytes = isMapped ? Array(all[12...]) : all
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    package var description: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var bytes = bytes
        guard inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == Array(repeating: 0, count: 15) + [1]
    }

    /// Whom limits are counted for: of version 6 a whole network of 64 bits is one household's.
    var party: NetworkAddress {
        bytes.count == 4 ? self : NetworkAddress(bytes: bytes[..<8] + Array(repeating: 0, count: 8))
    }
}

/// An address, or a block of them in the notation of CIDR (RFC 4632).
package struct AddressBlock: Sendable, Equatable {
    private let base: NetworkAddress
    private let length: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let base = NetworkAddress(String(first)), parts.count <= 2 else { return nil }
        let whole = base.bytes.count * 8
        var length = whole
        if parts.count == 2 {
            let digits = parts[1]
            // The length of a mapped address would count other bits.
            guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let number = Int(digits),
                number <= whole, first.contains(":") == (whole == 128)
            else { return nil }
            length = number
        }
        self.base = base
        self.length = length
    }

    func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        let whole = length / 8
        guard address.bytes[..<whole] == base.bytes[..<whole] else { return false }
        let rest = length % 8
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
        return address.bytes[whole] & mask == base.bytes[whole] & mask
    }
}

/// Finds out where a request comes from.
struct ClientAddress {
    /// Those whose word on whom they speak for is believed.
    let proxies: [AddressBlock]

    /// - Parameters:
    ///   - peer: at the other end of the connection.
    ///   - forwarded: the header `X-Forwarded-For`, all of it.
    /// - Returns: the last one in front of the trusted proxies; what stands before it anyone may have written.
    func find(peer: NetworkAddress?, forwarded: String?) -> NetworkAddress? {
        guard var found = peer, isTrusted(found), let forwarded else { return peer }
        for part in forwarded.split(separator: ",").reversed() {
            guard let address = NetworkAddress(ClientAddress.host(part)) else { return found }
            found = address
            if !isTrusted(address) { return found }
        }
        return found
    }

    private func isTrusted(_ address: NetworkAddress) -> Bool { proxies.contains { $0.contains(address) } }

    /// Without white space, and without the port that some proxies add.
    private static func host(_ text: Substring) -> String {
        let text = text.filter { $0 != " " && $0 != "\t" }
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
        return text.count { $0 == ":" } == 1 ? String(text.prefix { $0 != ":" }) : text
    }
}
