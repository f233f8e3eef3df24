import S3Client
import TestSupport
import Testing

@Suite struct MultipartChecksumTests {
    private static let all: ContentHasher.Algorithms = [.sha256, .md5, .crc64nvme, .crc32c]

    @Test("Two parts give the values that servers give for them")
    func vector() {
        let parts = [[UInt8](repeating: 0x61, count: 5 << 20), [UInt8](repeating: 0x62, count: 1000)]
        let checksum = MultipartChecksum(parts.map { ContentHasher.digests(of: $0, Self.all) })
        #expect(checksum.partCount == 2)
        #expect(checksum.size == 5_243_880)
        #expect(checksum.compositeETag == "8c6f96fe400c627d9394af6161f5921d-2")
        #expect(checksum.compositeSHA256 == "gzKREhG1RwKmrTCIEhem1Qh4SLYssbnaSjmwJsKJ6aA=-2")
        #expect(checksum.fullObject.crc32cBase64 == "fOkkdw==")
        #expect(checksum.fullObject.crc64nvmeBase64 == "6kicW+ugDI8=")
        #expect(checksum.fullObject.size == 5_243_880)
    }

    @Test("The CRCs of any parts are those of the whole, and its hashes are not claimed")
    func fullObject() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<50 {
            let parts = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                generator.bytes(Int.random(in: 0...3000, using: &generator))
            }
            let whole = ContentHasher.digests(of: parts.flatMap(\.self), [.crc64nvme, .crc32c])
            #expect(MultipartChecksum(parts.map { ContentHasher.digests(of: $0, Self.all) }).fullObject == whole)
        }
    }

    @Test("A part without a digest takes away that value and no other")
    func missing() {
        let whole = ContentHasher.digests(of: [1, 2, 3], Self.all)
        var partial = whole
        partial.md5 = nil
        partial.crc64nvme = nil
        for parts in [[partial, whole], [whole, partial]] {
            let checksum = MultipartChecksum(parts)
            #expect(checksum.compositeETag == nil)
            #expect(checksum.compositeSHA256?.hasSuffix("-2") == true)
            #expect(checksum.fullObject.crc64nvme == nil)
            #expect(checksum.fullObject.crc32c != nil)
        }
    }

    @Test("No parts give no values")
    func empty() {
        let checksum = MultipartChecksum()
        #expect(checksum.compositeETag == nil)
        #expect(checksum.compositeSHA256 == nil)
        #expect(checksum.fullObject == ContentDigests(size: 0))
    }
}
