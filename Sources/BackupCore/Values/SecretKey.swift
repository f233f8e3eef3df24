internal import Foundation

/// The key that secrets in the catalog are encrypted with: 32 bytes. None of its descriptions shows it.
package struct SecretKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// In bytes.
    package static let length = 32

    /// For whoever encrypts with it, and nothing else.
    package let bytes: [UInt8]

    /// - Returns: nil unless there are 32.
    package init?(bytes: [UInt8]) {
        guard bytes.count == SecretKey.length else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits, or base64 with or without its padding; spaces around it do not matter.
    ///
    /// - Returns: nil for anything else, and for what is not 32 bytes long.
    package init?(_ text: String) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.utf8.count == 2 * SecretKey.length {
            let digits = text.utf8.compactMap(SecretKey.digit)
            guard digits.count == text.utf8.count else { return nil }
            self.init(bytes: stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
            return
        }
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: text + padding) else { return nil }
        self.init(bytes: [UInt8](data))
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    package var description: String { "********" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
