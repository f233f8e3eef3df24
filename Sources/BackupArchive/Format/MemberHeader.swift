internal import BackupCore
internal import CXXHash

/// What stands in front of each member of an archive: a gzip header (RFC 1952, section 2.3) of fixed bytes with one
/// extra field, which tells the member's length and guards every byte of it (`docs/archive-format.md`, "Members").
struct MemberHeader: Equatable {
    enum Kind: UInt8 {
        /// Everything in front of the first table.
        case preamble = 0
        /// Rows of one table, with what opens and closes it.
        case rows = 1
        /// Everything behind the last table.
        case summary = 2
    }

    var kind: Kind
    /// Whether the table begins in this member.
    var opensTable: Bool
    /// Whether the table ends in this member.
    var closesTable: Bool
    /// Of the whole member, header and trailer included, in bytes.
    var memberLength: UInt32
    /// Of the uncompressed text, in bytes.
    var textLength: UInt32
    var rowCount: UInt32

    /// The longest text of a member of several rows, in bytes: a promise of the format, however soon a writer ends its
    /// members. A row that is longer has a member of its own.
    static let longestSharedText = 4 << 20
    /// Of the header, in bytes.
    static let length = 40
    /// Of the CRC-32 and length behind the compressed data, in bytes.
    static let trailerLength = 8
    /// No member's text is longer, in bytes.
    static let longestText = Int(Int32.max)
    /// By how much a member may exceed its text and a 256th of it, in bytes.
    static let largestOverhead = 8192
    /// The bytes of the header that the checksum covers; the checksum itself follows them.
    private static let coveredLength = 32

    /// Magic, method deflate, flag FEXTRA, no time, no extra flags, system unknown; then the extra field's length, the
    /// subfield's identifier `EB`, its length, and the layout's version 1.
    private static let fixed: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x04, 0, 0, 0, 0, 0x00, 0xFF, 28, 0, 0x45, 0x42, 24, 0, 1,
    ]

    /// Whether a file that begins with these bytes has members as we write them.
    static func isOurs(_ start: [UInt8]) -> Bool { start.starts(with: fixed) }

    /// The layout's version, where a file begins as members do but with another version than this one.
    static func otherVersion(_ start: [UInt8]) -> UInt8? {
        guard start.starts(with: fixed.dropLast()), start.count >= fixed.count, !isOurs(start) else { return nil }
        return start[fixed.count - 1]
    }

    /// Writes the header in front of a member whose data and trailer are there already, so that it can be guarded.
    func write(to member: UnsafeMutableRawPointer) {
        for (offset, byte) in MemberHeader.fixed.enumerated() {
            member.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
        }
        member.storeBytes(of: kind.rawValue, toByteOffset: 17, as: UInt8.self)
        member.storeBytes(of: (opensTable ? 1 : 0) | (closesTable ? 2 : 0), toByteOffset: 18, as: UInt8.self)
        member.storeBytes(of: 0, toByteOffset: 19, as: UInt8.self)
        member.storeBytes(of: memberLength.littleEndian, toByteOffset: 20, as: UInt32.self)
        member.storeBytes(of: textLength.littleEndian, toByteOffset: 24, as: UInt32.self)
        member.storeBytes(of: rowCount.littleEndian, toByteOffset: 28, as: UInt32.self)
        let checksum = MemberHeader.checksum(of: member, length: Int(memberLength))
        member.storeBytes(of: checksum.littleEndian, toByteOffset: MemberHeader.coveredLength, as: UInt64.self)
    }

    /// Reads a header; nil where the bytes are not one. The checksum is looked at by ``isIntact(_:)``, once the whole
    /// member is there.
    init?(_ bytes: UnsafeRawPointer) {
        for (offset, byte) in MemberHeader.fixed.enumerated()
        where bytes.load(fromByteOffset: offset, as: UInt8.self) != byte {
            return nil
        }
        let flags = bytes.load(fromByteOffset: 18, as: UInt8.self)
        guard let kind = Kind(rawValue: bytes.load(fromByteOffset: 17, as: UInt8.self)), flags < 4,
            bytes.load(fromByteOffset: 19, as: UInt8.self) == 0
        else { return nil }
        self.kind = kind
        opensTable = flags & 1 != 0
        closesTable = flags & 2 != 0
        memberLength = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self))
        textLength = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        rowCount = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 28, as: UInt32.self))
        guard Int(memberLength) >= MemberHeader.length + MemberHeader.trailerLength + 2 else { return nil }
    }

    init(
        kind: Kind, opensTable: Bool, closesTable: Bool, memberLength: UInt32, textLength: UInt32, rowCount: UInt32
    ) {
        self.kind = kind
        self.opensTable = opensTable
        self.closesTable = closesTable
        self.memberLength = memberLength
        self.textLength = textLength
        self.rowCount = rowCount
    }

    /// Whether no byte of the whole member differs from what was written.
    func isIntact(_ member: UnsafeRawPointer) -> Bool {
        let stored = member.loadUnaligned(fromByteOffset: MemberHeader.coveredLength, as: UInt64.self)
        return UInt64(littleEndian: stored) == MemberHeader.checksum(of: member, length: Int(memberLength))
    }

    /// XXH3-64 of everything behind the checksum, with XXH3-64 of everything before it as the seed.
    private static func checksum(of member: UnsafeRawPointer, length: Int) -> UInt64 {
        let seed = XXH3_64bits(member, coveredLength)
        return XXH3_64bits_withSeed(member + MemberHeader.length, length - MemberHeader.length, seed)
    }
}
