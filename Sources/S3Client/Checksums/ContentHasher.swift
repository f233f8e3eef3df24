internal import Crypto

/// Computes any set of digests over a content in one pass.
public struct ContentHasher: Sendable {
    /// Which digests are wanted.
    public struct Algorithms: OptionSet, Sendable, Hashable {
        /// One bit for each algorithm.
        public let rawValue: UInt8

        /// Makes a set from its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// What is signed and what proves a content. About 1.7 GB/s on a core with SHA extensions.
        public static let sha256 = Algorithms(rawValue: 1)
        /// For `Content-MD5` and for the ETag of a plain PUT. About 0.7 GB/s.
        public static let md5 = Algorithms(rawValue: 2)
        /// For `x-amz-checksum-crc64nvme`.
        public static let crc64nvme = Algorithms(rawValue: 4)
        /// For `x-amz-checksum-crc32c`.
        public static let crc32c = Algorithms(rawValue: 8)
    }

    /// A piece is taken by one algorithm after the other while it is in the processor's nearest cache.
    private static let pieceLength = 16 << 10

    private var size: Int64 = 0
    private var sha256: SHA256?
    private var md5: Insecure.MD5?
    private var crc64nvme: UInt64?
    private var crc32c: UInt32?

    /// A hasher that has seen nothing.
    public init(_ algorithms: Algorithms) {
        if algorithms.contains(.sha256) { sha256 = SHA256() }
        if algorithms.contains(.md5) { md5 = Insecure.MD5() }
        if algorithms.contains(.crc64nvme) { crc64nvme = 0 }
        if algorithms.contains(.crc32c) { crc32c = 0 }
    }

    /// Takes the next bytes; any number.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        size += Int64(bytes.count)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Self.pieceLength)
            let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            sha256?.update(bufferPointer: piece)
            md5?.update(bufferPointer: piece)
            if let checksum = crc64nvme { crc64nvme = CRC64NVME.shared.update(checksum, piece) }
            if let checksum = crc32c { crc32c = CRC32C.shared.update(checksum, piece) }
            start = end
        }
    }

    /// The digests of what was taken so far; more may follow.
    public func digests() -> ContentDigests {
        ContentDigests(
            size: size, sha256: sha256.map { Array($0.finalize()) }, md5: md5.map { Array($0.finalize()) },
            crc64nvme: crc64nvme, crc32c: crc32c)
    }

    /// The digests of bytes in memory.
    public static func digests(of bytes: [UInt8], _ algorithms: Algorithms) -> ContentDigests {
        var hasher = ContentHasher(algorithms)
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.digests()
    }
}
