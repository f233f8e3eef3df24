import S3Client
import TestSupport
import Testing

@Suite struct ContentHasherTests {
    private static let all: ContentHasher.Algorithms = [.sha256, .md5, .crc64nvme, .crc32c]

    @Test("The digests of nothing")
    func nothing() {
        let digests = ContentHasher(Self.all).digests()
        #expect(digests.size == 0)
        #expect(digests.sha256Hex == SigningRequest.emptyPayloadHash)
        #expect(digests.sha256Base64 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(digests.md5Hex == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(digests.md5Base64 == "1B2M2Y8AsgTpgAmY7PhCfg==")
        #expect(digests.crc64nvmeBase64 == "AAAAAAAAAAA=")
        #expect(digests.crc32cBase64 == "AAAAAA==")
    }

    @Test("The digests of nine digits, in both forms, big-endian")
    func digits() {
        let digests = ContentHasher.digests(of: Array("123456789".utf8), Self.all)
        #expect(digests.size == 9)
        #expect(digests.sha256Hex == "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225")
        #expect(digests.md5Hex == "25f9e794323b453885f5181f1b624d0b")
        #expect(digests.crc64nvmeHex == "ae8b14860a799888")
        #expect(digests.crc64nvmeBase64 == "rosUhgp5mIg=")
        #expect(digests.crc32cHex == "e3069283")
        #expect(digests.crc32cBase64 == "4waSgw==")
    }

    @Test("Only what is asked for is computed", arguments: 0..<16 as Range<UInt8>)
    func selection(_ bits: UInt8) {
        let algorithms = ContentHasher.Algorithms(rawValue: bits)
        let digests = ContentHasher.digests(of: [1, 2, 3], algorithms)
        #expect((digests.sha256 != nil) == algorithms.contains(.sha256))
        #expect((digests.md5 != nil) == algorithms.contains(.md5))
        #expect((digests.crc64nvme != nil) == algorithms.contains(.crc64nvme))
        #expect((digests.crc32c != nil) == algorithms.contains(.crc32c))
        #expect(digests.size == 3)
    }

    @Test("Pieces of any size give the digests of the whole, and looking at them in between changes nothing")
    func pieces() {
        var generator = SeededGenerator(seed: 3)
        let content = generator.bytes(200_001)
        let whole = ContentHasher.digests(of: content, Self.all)
        for _ in 0..<8 {
            var hasher = ContentHasher(Self.all)
            var start = 0
            while start < content.count {
                let end = min(content.count, start + Int.random(in: 0...70_000, using: &generator))
                content.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
                #expect(hasher.digests().size == Int64(end))
                start = end
            }
            #expect(hasher.digests() == whole)
        }
    }
}
