import S3Client
import TestSupport
import Testing

@Suite struct ReflectedCRCTests {
    /// One bit at a time, as the definitions have it.
    private func plain<Register: FixedWidthInteger & UnsignedInteger>(_ bytes: [UInt8], _ polynomial: Register)
        -> Register
    {
        var register = Register.max
        for byte in bytes {
            register ^= Register(byte)
            for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ polynomial : register >> 1 }
        }
        return ~register
    }

    @Test("The check values of the catalogue of CRCs, and of nothing")
    func checkValues() {
        let digits = Array("123456789".utf8)
        #expect(CRC32C.shared.checksum(of: digits) == 0xE306_9283)
        #expect(CRC64NVME.shared.checksum(of: digits) == 0xAE8B_1486_0A79_9888)
        #expect(CRC32C.shared.checksum(of: []) == 0)
        #expect(CRC64NVME.shared.checksum(of: []) == 0)
    }

    @Test("RFC 3720's examples of CRC32C")
    func rfc3720() {
        #expect(CRC32C.shared.checksum(of: [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.shared.checksum(of: [UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.shared.checksum(of: Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.shared.checksum(of: Array((0..<32).reversed())) == 0x113F_DB5C)
    }

    @Test("Sixteen bytes at a time give what one bit at a time gives, at every length, alignment and split")
    func lengths() {
        var generator = SeededGenerator(seed: 64)
        let bytes = generator.bytes(300)
        for length in 0...100 {
            for start in [0, 1, 3, 7, 8, 13] {
                let content = Array(bytes[start..<start + length])
                let wide = plain(content, 0x9A6C_9329_AC4B_C9B5 as UInt64)
                let narrow = plain(content, 0x82F6_3B78 as UInt32)
                bytes.withUnsafeBytes { all in
                    let whole = UnsafeRawBufferPointer(rebasing: all[start..<start + length])
                    #expect(CRC64NVME.shared.update(0, whole) == wide)
                    #expect(CRC32C.shared.update(0, whole) == narrow)
                    let split = Int.random(in: 0...length, using: &generator)
                    let first = UnsafeRawBufferPointer(rebasing: whole[..<split])
                    let second = UnsafeRawBufferPointer(rebasing: whole[split...])
                    #expect(CRC64NVME.shared.update(CRC64NVME.shared.update(0, first), second) == wide)
                    #expect(CRC32C.shared.update(CRC32C.shared.update(0, first), second) == narrow)
                }
            }
        }
    }

    @Test("Checks combine as their contents do")
    func combination() {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<300 {
            let first = generator.bytes(Int.random(in: 0...400, using: &generator))
            let second = generator.bytes(Int.random(in: 0...400, using: &generator))
            let length = Int64(second.count)
            #expect(
                CRC64NVME.shared.combine(
                    CRC64NVME.shared.checksum(of: first), CRC64NVME.shared.checksum(of: second), secondLength: length)
                    == CRC64NVME.shared.checksum(of: first + second))
            #expect(
                CRC32C.shared.combine(
                    CRC32C.shared.checksum(of: first), CRC32C.shared.checksum(of: second), secondLength: length)
                    == CRC32C.shared.checksum(of: first + second))
        }
    }

    @Test("Combining is associative at lengths that no memory holds")
    func hugeLengths() {
        let (first, second, third): (UInt64, UInt64, UInt64) = (1, 0xDEAD_BEEF_0000_0001, 42)
        let (middle, last): (Int64, Int64) = (5 << 40, (50 << 40) + 12_345)
        let crc = CRC64NVME.shared
        #expect(
            crc.combine(crc.combine(first, second, secondLength: middle), third, secondLength: last)
                == crc.combine(first, crc.combine(second, third, secondLength: last), secondLength: middle + last))
    }
}
