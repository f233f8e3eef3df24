internal import Glibc

/// An address of IPv4 (4 bytes) or IPv6 (16 bytes); one of IPv4 that is written in IPv6 (`::ffff:10.0.0.1`) is of IPv4.
struct IPAddressBytes: Sendable, Equatable {
    let bytes: [UInt8]

    /// - Returns: nil where the text is a name.
    init?(_ text: String) {
        var four = [UInt8](repeating: 0, count: 4)
        var sixteen = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = four
        } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
            let isMapped = sixteen[..<10].allSatisfy { $0 == 0 } && sixteen[10] == 0xFF && sixteen[11] == 0xFF
            bytes = isMapped ? Array(sixteen[12...]) : sixteen
        } else {
            return nil
        }
    }

    /// Whether the first bits are those of a network of the same family.
    func hasPrefix(_ length: Int, of network: IPAddressBytes) -> Bool {
        guard bytes.count == network.bytes.count else { return false }
        let whole = length / 8
        guard bytes[..<whole] == network.bytes[..<whole] else { return false }
        let rest = length % 8
        return rest == 0 || (bytes[whole] ^ network.bytes[whole]) >> (8 - rest) == 0
    }

    /// `127.0.0.0/8` and `::1`.
    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
}
