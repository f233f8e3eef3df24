import BackupArchive
import BackupCore
import TestSupport
import Testing

@Suite("A deflate stream that is written piece by piece")
struct DeflateStreamTests {
    @Test("gives back what went in, in whatever pieces", arguments: 0..<60)
    func roundTrip(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let text = seed == 0 ? [] : DeflaterTests.text(seed, &random) + random.bytes(seed % 3 == 0 ? 700_000 : 0)
        let stream = DeflateStream()
        var data: [UInt8] = []
        var start = 0
        while start < text.count {
            let end = min(text.count, start + Int.random(in: 1...300_000, using: &random))
            try text[start..<end].withUnsafeBytes { piece in
                try stream.add(piece, isLast: false) { data += $0 }
            }
            start = end
        }
        try stream.add(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) { data += $0 }
        #expect(try Deflation.inflate(data, length: text.count) == text)
        #expect(stream.textLength == UInt64(text.count) && stream.compressedLength == UInt64(data.count))
        #expect(stream.crc32 == DeflateStreamTests.crc32(text))
    }

    /// Bit by bit (RFC 1952, section 8).
    private static func crc32(_ text: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in text {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
