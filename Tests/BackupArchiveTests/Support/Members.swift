import CXXHash

/// The members of an archive, found and made by the words of `docs/archive-format.md` alone.
struct Member: Equatable {
    var offset: Int
    var bytes: [UInt8]

    var kind: UInt8 { bytes[17] }
    var flags: UInt8 { bytes[18] }
    var textLength: Int { Member.number(bytes, 24) }
    var rowCount: Int { Member.number(bytes, 28) }
    /// The deflate stream.
    var data: [UInt8] { Array(bytes[40..<bytes.count - 8]) }

    static func number(_ bytes: [UInt8], _ place: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }

    static func all(of archive: [UInt8]) -> [Member] {
        var members: [Member] = []
        var offset = 0
        while offset + 48 <= archive.count {
            let length = number(archive, offset + 20)
            guard length >= 48, offset + length <= archive.count else { break }
            members.append(Member(offset: offset, bytes: Array(archive[offset..<offset + length])))
            offset += length
        }
        return members
    }

    /// What a member's header consists of, to be made wrong where a test wants it.
    struct Fields {
        var kind: UInt8
        var flags: UInt8
        var textLength: UInt32
        var rowCount: UInt32
        var memberLength: UInt32?
    }

    /// A member with a correct checksum around any fields and data.
    static func make(_ fields: Fields, data: [UInt8], crc32: UInt32) -> [UInt8] {
        func little(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let length = fields.memberLength ?? UInt32(40 + data.count + 8)
        let head: [UInt8] =
            [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 28, 0, 0x45, 0x42, 24, 0, 1, fields.kind, fields.flags, 0]
            + little(UInt64(length), 4) + little(UInt64(fields.textLength), 4) + little(UInt64(fields.rowCount), 4)
        let rest = data + little(UInt64(crc32), 4) + little(UInt64(fields.textLength), 4)
        let checksum = XXH3_64bits_withSeed(rest, rest.count, XXH3_64bits(head, head.count))
        return head + little(checksum, 8) + rest
    }

    /// A member of any text, not compressed.
    static func stored(_ kind: UInt8, flags: UInt8 = 0, rows: UInt32 = 0, _ text: [UInt8]) -> [UInt8] {
        make(
            Fields(kind: kind, flags: flags, textLength: UInt32(text.count), rowCount: rows), data: Gzip.stored(text),
            crc32: Gzip.crc32(text))
    }
}

/// Gzip without a compressor (RFC 1951 and RFC 1952).
enum Gzip {
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
        }
        return ~value
    }

    static func stored(_ text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = text[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(0xFFFF)
            let count = UInt16(block.count)
            output += [rest.isEmpty ? 1 : 0, UInt8(count & 0xFF), UInt8(count >> 8)]
            output += [UInt8(~count & 0xFF), UInt8(~count >> 8)] + block
        } while !rest.isEmpty
        return output
    }

    /// A whole gzip member.
    static func member(_ text: [UInt8]) -> [UInt8] {
        let trailer = [crc32(text), UInt32(text.count)].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + stored(text) + trailer
    }
}
