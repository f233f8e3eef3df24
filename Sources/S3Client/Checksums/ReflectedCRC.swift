/// A cyclic redundancy check whose bits are reflected and whose register starts and ends inverted: CRC32C and CRC64NVME.
///
/// Sixteen bytes are taken at a time, each through a table of its own ("slicing by 16": Kounavis and Berry, "Novel Table
/// Lookup-Based Algorithms for High-Performance CRC Generation", 2008), since lookups do not wait for one another.
package struct ReflectedCRC<Register: FixedWidthInteger & UnsignedInteger & Sendable>: @unchecked Sendable {
    private static var slices: Int { 16 }

    private let polynomial: Register
    /// Of ``slices`` times 256 entries: entry `[k][i]` is what byte `i` and `k` zero bytes after it make. Never written
    /// after `init` and never freed: one lives for each polynomial, as long as the process.
    private let tables: UnsafePointer<Register>

    /// - Parameter polynomial: reflected.
    fileprivate init(polynomial: Register) {
        self.polynomial = polynomial
        let tables = UnsafeMutablePointer<Register>.allocate(capacity: Self.slices * 256)
        for byte in 0..<256 {
            var value = Register(truncatingIfNeeded: byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
            (tables + byte).initialize(to: value)
        }
        for entry in 256..<Self.slices * 256 {
            let shorter = tables[entry - 256]
            (tables + entry).initialize(to: shorter >> 8 ^ tables[Int(truncatingIfNeeded: shorter & 0xFF)])
        }
        self.tables = UnsafePointer(tables)
    }

    /// The check of what had `checksum` so far, followed by these bytes. Of no bytes it is 0.
    package func update(_ checksum: Register, _ bytes: UnsafeRawBufferPointer) -> Register {
        guard var next = bytes.baseAddress else { return checksum }
        var register = ~checksum
        var count = bytes.count
        let tables = tables
        while count >= 16 {
            let low = UInt64(littleEndian: next.loadUnaligned(as: UInt64.self)) ^ UInt64(truncatingIfNeeded: register)
            let high = UInt64(littleEndian: (next + 8).loadUnaligned(as: UInt64.self))
            register = Self.eight(low, tables + 15 * 256) ^ Self.eight(high, tables + 7 * 256)
            next += 16
            count &-= 16
        }
        while count > 0 {
            let byte = UInt8(truncatingIfNeeded: register) ^ next.load(as: UInt8.self)
            register = register >> 8 ^ tables[Int(byte)]
            next += 1
            count &-= 1
        }
        return ~register
    }

    /// - Parameter table: of the first byte; each further byte's is the one before it.
    @inline(__always)
    private static func eight(_ word: UInt64, _ table: UnsafePointer<Register>) -> Register {
        var result = table[Int(truncatingIfNeeded: word & 0xFF)]
        result ^= (table - 256)[Int(truncatingIfNeeded: word >> 8 & 0xFF)]
        result ^= (table - 512)[Int(truncatingIfNeeded: word >> 16 & 0xFF)]
        result ^= (table - 768)[Int(truncatingIfNeeded: word >> 24 & 0xFF)]
        result ^= (table - 1024)[Int(truncatingIfNeeded: word >> 32 & 0xFF)]
        result ^= (table - 1280)[Int(truncatingIfNeeded: word >> 40 & 0xFF)]
        result ^= (table - 1536)[Int(truncatingIfNeeded: word >> 48 & 0xFF)]
        result ^= (table - 1792)[Int(truncatingIfNeeded: word >> 56)]
        return result
    }

    package func checksum(of bytes: [UInt8]) -> Register { bytes.withUnsafeBytes { update(0, $0) } }

    /// The check of two texts, one after the other, from theirs.
    /// - Parameter secondLength: in bytes.
    package func combine(_ first: Register, _ second: Register, secondLength: Int64) -> Register {
        var power = Register(1) << (Register.bitWidth - 1 - 8)
        var shift = Register(1) << (Register.bitWidth - 1)
        var rest = max(0, secondLength)
        while rest > 0 {
            if rest & 1 == 1 { shift = product(power, shift) }
            power = product(power, power)
            rest >>= 1
        }
        return product(shift, first) ^ second
    }

    /// Of two polynomials modulo this one; the highest bit is the lowest power.
    private func product(_ first: Register, _ second: Register) -> Register {
        var result: Register = 0
        var first = first
        var second = second
        while first != 0 {
            if first.leadingZeroBitCount == 0 { result ^= second }
            first <<= 1
            second = second & 1 == 1 ? second >> 1 ^ polynomial : second >> 1
        }
        return result
    }
}

/// CRC-32C (Castagnoli), RFC 3720, section 12.1.
package enum CRC32C {
    package static let shared = ReflectedCRC<UInt32>(polynomial: 0x82F6_3B78)
}

/// CRC-64/NVME (NVM Express NVM Command Set Specification 1.0b, section 5.2.1.3.4).
package enum CRC64NVME {
    package static let shared = ReflectedCRC<UInt64>(polynomial: 0x9A6C_9329_AC4B_C9B5)
}
