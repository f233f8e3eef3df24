internal import CXXHash

/// The digest of a table's rows: independent of their order, and equal only when the rows are.
///
/// It is the sum modulo 2^128 of XXH3-128 (https://github.com/Cyan4973/xxHash, seed 0) over each row's text as it
/// stands in the archive, from `{` to `}`, with the number of rows kept beside it. A sum does not cancel as an
/// exclusive-or does: a row that is there twice counts twice. XXH3 instead of SHA-256 because one SHA-256 per row
/// would take more than half as long as the whole backup does (`docs/archive-format.md` has the figures); deliberate
/// alteration is the business of the SHA-256 over the whole file.
package struct TableDigest: Sendable, Equatable {
    /// The sum of the row hashes.
    package private(set) var sum: UInt128 = 0

    package init() {}

    /// Adds one row and returns its hash.
    @discardableResult
    package mutating func add(_ row: UnsafeRawBufferPointer) -> UInt128 {
        let hash = XXH3_128bits(row.baseAddress, row.count)
        let value = UInt128(hash.high64) << 64 | UInt128(hash.low64)
        sum &+= value
        return value
    }

    /// Adds all rows of another part of the same table.
    package mutating func add(_ other: TableDigest) {
        sum &+= other.sum
    }

    /// Thirty-two lower-case hexadecimal digits, as in manifest and summary.
    package var hexadecimal: String {
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    /// Reads what ``hexadecimal`` wrote.
    package init?(hexadecimal text: String) {
        // UInt128 would also read a sign and upper-case digits.
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard text.utf8.count == 32, isPlain, let sum = UInt128(text, radix: 16) else { return nil }
        self.sum = sum
    }
}
