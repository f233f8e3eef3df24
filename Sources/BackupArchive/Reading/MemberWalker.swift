internal import BackupCore
internal import BackupFiles

/// Goes from member to member of an archive of ours.
struct MemberWalker {
    let file: InputFile
    /// Where the next member begins.
    private(set) var offset: Int
    private let head = ByteBuffer(capacity: MemberHeader.length)

    /// The longest text that a preamble may have, in bytes.
    private static let longestPreamble = 64 << 20

    init(file: InputFile, offset: Int) {
        self.file = file
        self.offset = offset
    }

    /// The header of the next member; nil at the end of the file.
    func nextHeader() throws -> MemberHeader? {
        guard offset < file.size else { return nil }
        guard try file.read(into: head.base, count: MemberHeader.length, at: offset) == MemberHeader.length,
            let header = MemberHeader(head.base)
        else { throw damaged("no member begins here") }
        guard offset + Int(header.memberLength) <= file.size else { throw damaged("the member is cut short") }
        // Deflate cannot make more than 1,032 bytes of one, nor does it add more than stored blocks do, and only a
        // single row may be larger than a member.
        let text = Int(header.textLength)
        guard header.textLength / 1032 <= header.memberLength, text <= MemberHeader.longestText,
            Int(header.memberLength) <= text + text / 256 + MemberHeader.largestOverhead,
            header.rowCount <= 1 || text <= MemberHeader.longestSharedText
        else { throw damaged("the member's lengths are not those of a member") }
        return header
    }

    /// Goes past a member whose header was just read.
    mutating func skip(_ header: MemberHeader) { offset += Int(header.memberLength) }

    /// Reads the whole member whose header was just read, and goes past it.
    mutating func read(_ header: MemberHeader, into buffer: ByteBuffer) throws {
        let length = Int(header.memberLength)
        buffer.require(length)
        guard try file.read(into: buffer.base, count: length, at: offset) == length else {
            throw damaged("the member is cut short")
        }
        offset += length
    }

    mutating func jump(to offset: Int) { self.offset = offset }

    /// Everything in front of the first table, and where that ends.
    static func readPreamble(of file: InputFile) throws -> (text: [UInt8], end: Int) {
        var walker = MemberWalker(file: file, offset: 0)
        let member = ByteBuffer(capacity: 64 * 1024)
        let decompressor = try MemberDecompressor()
        var text: [UInt8] = []
        while let header = try walker.nextHeader(), header.kind == .preamble {
            guard text.count + Int(header.textLength) <= longestPreamble else {
                throw walker.damaged("the description of the schema is over 64 MiB")
            }
            let start = walker.offset
            try walker.read(header, into: member)
            text += try decompressor.text(of: member.base, header, at: start)
        }
        return (text, walker.offset)
    }

    func damaged(_ what: String) -> BackupError {
        BackupError(.damaged, "\(what): \(ArchiveReader.damageHint)", location: ["byte \(offset)"])
    }
}

/// Decompresses members and finds every difference from what was written. Belongs to one thread.
final class MemberDecompressor: @unchecked Sendable {
    private let inflater: MemberInflater

    init() throws { inflater = try MemberInflater() }

    /// Checks the bytes of a whole member. Comes before memory is asked for its text: a damaged length may be any.
    func checkIntact(_ member: UnsafeMutableRawPointer, _ header: MemberHeader, at offset: Int) throws {
        guard header.isIntact(member) else { throw altered(at: offset) }
    }

    /// Writes the text of a member whose bytes were checked to `output`, which has room for it.
    func decompress(
        _ member: UnsafeMutableRawPointer, _ header: MemberHeader, at offset: Int, into output: UnsafeMutableRawPointer
    ) throws {
        let overhead = MemberHeader.length + MemberHeader.trailerLength
        let data = UnsafeRawBufferPointer(
            start: member + MemberHeader.length, count: Int(header.memberLength) - overhead)
        let trailer = member + Int(header.memberLength) - MemberHeader.trailerLength
        let text = UnsafeRawBufferPointer(start: output, count: Int(header.textLength))
        guard inflater.inflate(data, into: output, length: Int(header.textLength)),
            UInt32(littleEndian: trailer.loadUnaligned(as: UInt32.self)) == GzipChecksum.crc32(text),
            UInt32(littleEndian: trailer.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) == header.textLength
        else { throw altered(at: offset) }
    }

    private func altered(at offset: Int) -> BackupError {
        BackupError(
            .damaged, "the member is not as it was written: \(ArchiveReader.damageHint)",
            location: ["byte \(offset)"])
    }

    /// The text of a member of moderate size.
    func text(of member: UnsafeMutableRawPointer, _ header: MemberHeader, at offset: Int) throws -> [UInt8] {
        try checkIntact(member, header, at: offset)
        let buffer = ByteBuffer(capacity: Int(header.textLength) + 1)
        try decompress(member, header, at: offset, into: buffer.base)
        return Array(UnsafeRawBufferPointer(start: buffer.base, count: Int(header.textLength)))
    }
}
