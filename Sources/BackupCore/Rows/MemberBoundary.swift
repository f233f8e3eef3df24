/// Where one member of an archive ends and the next begins.
///
/// The decision depends on the rows alone, so that stretches of equal rows give equal members even when rows before
/// them were added or removed: content-defined chunking, with the row as the unit. `docs/archive-format.md` states it.
package enum MemberBoundary {
    /// No member ends before this many bytes of text, in bytes.
    package static let smallest = 128 * 1024
    /// A member ends as soon as it has this many bytes, in bytes. Only a row larger than this exceeds it by much.
    package static let largest = 1024 * 1024
    /// The mean length of what follows the smallest size, in bytes.
    private static let mean: UInt64 = 384 * 1024

    /// - Parameters:
    ///   - size: the row's length in bytes.
    ///   - hash: the row's hash; its low 64 bits decide.
    ///   - textSoFar: bytes of row text in the member, this row included.
    package static func falls(afterRowOf size: Int, hash: UInt128, textSoFar: Int) -> Bool {
        if textSoFar < smallest { return false }
        if textSoFar >= largest { return true }
        // A row of n bytes ends a member with probability n / mean.
        return UInt64(truncatingIfNeeded: hash) < UInt64(size) &* (UInt64.max / mean)
    }
}
