import BackupArchive
import BackupCore
import TestSupport
import Testing

/// What another program, Python's zlib, and our own reader make of what was compressed.
@Suite("Compression of rows")
struct DeflaterTests {
    /// ASCII text of one shape: from what does not compress to what is one stretch again and again.
    static func text(_ shape: Int, _ random: inout SeededGenerator) -> [UInt8] {
        let count = [1, 2, 15, 16, 17, 31, 300, 5_000, 70_000, 400_000].randomElement(using: &random) ?? 1
        switch shape % 6 {
        case 0: return random.bytes(count).map { $0 & 0x7F }
        case 1: return [UInt8](repeating: UInt8(ascii: "a"), count: count)
        case 2: return (0..<count).map { _ in UInt8(ascii: "0") + UInt8.random(in: 0..<10, using: &random) }
        case 3:
            let stretch = random.bytes(Int.random(in: 1...40_000, using: &random)).map { $0 & 0x7F }
            return (0..<count).map { stretch[$0 % stretch.count] }
        case 4:
            // Symbols so unequally frequent that codes reach their longest.
            return (0..<count).map { UInt8(min(60, $0.trailingZeroBitCount)) }
        default:
            var rows: [UInt8] = []
            while rows.count < count {
                let number = Int.random(in: 0...100_000, using: &random)
                rows += Array(
                    "{\"id\":\(rows.count),\"name\":\"row \(number)\",\"price\":\"\(number).00\",\"on\":true},\n".utf8)
            }
            return rows
        }
    }

    @Test("gives back what went in, whatever it is", arguments: 0..<240)
    func roundTrip(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let text = Self.text(seed, &random)
        for level in CompressionLevel.allCases {
            let data = try #require(try Deflation.deflate(text, level))
            #expect(data.count <= text.count + text.count / 256 + 8192, "more than a member may have")
            #expect(try Deflation.inflate(data, length: text.count) == text)
            #expect(try Deflation.checks(data, text))
            var other = text
            other[Int.random(in: 0..<text.count, using: &random)] ^= 1
            #expect(try !Deflation.checks(data, other))
            #expect(try !Deflation.checks(Array(data.dropLast()), text))
            #expect(try Deflation.inflate(data, length: text.count - 1) == nil)
            #expect(try !Deflation.checks(data + [0], text))
        }
    }

    @Test("is read by other programs")
    func otherPrograms() throws {
        let directory = try TemporaryDirectory()
        for seed in 0..<24 {
            var random = SeededGenerator(seed: UInt64(seed) + 1000)
            let text = Self.text(seed, &random)
            try Files.write(try #require(try Deflation.deflate(text, .fast)), to: directory.file("\(seed).deflate"))
            try Files.write(text, to: directory.file("\(seed).text"))
        }
        let script = """
            import sys, zlib
            for seed in range(24):
                stem = f"{sys.argv[1]}/{seed}"
                stream = zlib.decompressobj(-15)
                text = stream.decompress(open(stem + ".deflate", "rb").read())
                assert stream.eof and not stream.unused_data and text == open(stem + ".text", "rb").read(), seed
            """
        try Shell.run(#"python3 -c "$1" "$2""#, script, directory.path)
    }

    @Test("A text too large to be compared in one piece is compared piece by piece")
    func large() throws {
        var random = SeededGenerator(seed: 3)
        let stretch = random.bytes(100_000).map { $0 & 0x7F }
        let text = (0..<5_000_000).map { stretch[($0 &* 7) % stretch.count] }
        let data = try #require(try Deflation.deflate(text, .fast))
        #expect(try Deflation.checks(data, text))
        for place in [0, 2_000_000, text.count - 1] {
            var other = text
            other[place] ^= 1
            #expect(try !Deflation.checks(data, other))
        }
        #expect(try !Deflation.checks(data, Array(text.dropLast())))
        #expect(try !Deflation.checks(Array(data.dropLast()), text))
    }
}
