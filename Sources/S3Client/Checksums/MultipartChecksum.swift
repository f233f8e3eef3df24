internal import Crypto
internal import Foundation

/// What a multipart upload's object comes to, from the digests of its parts in their order.
///
/// A value is nil as soon as one part has no digest of that kind, and where there is no part.
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
public struct MultipartChecksum: Sendable {
    /// How many parts were taken.
    public private(set) var partCount = 0
    /// Of all parts together, in bytes.
    public private(set) var size: Int64 = 0
    private var md5: Insecure.MD5? = Insecure.MD5()
    private var sha256: SHA256? = SHA256()
    private var crc64nvme: UInt64? = 0
    private var crc32c: UInt32? = 0

    /// Of no parts yet.
    public init() {}

    /// Of all these parts, the first one first.
    public init(_ parts: some Sequence<ContentDigests>) {
        for part in parts { append(part) }
    }

    /// Takes the next part.
    public mutating func append(_ part: ContentDigests) {
        if let digest = part.md5 { md5?.update(data: digest) } else { md5 = nil }
        if let digest = part.sha256 { sha256?.update(data: digest) } else { sha256 = nil }
        crc64nvme = zip(crc64nvme, part.crc64nvme) { before, this in
            CRC64NVME.shared.combine(before, this, secondLength: part.size)
        }
        crc32c = zip(crc32c, part.crc32c) { before, this in
            CRC32C.shared.combine(before, this, secondLength: part.size)
        }
        partCount += 1
        size += part.size
    }

    /// `md5(concatenated md5 of the parts)-N`, without quotes: the ETag on many providers, though not on all.
    public var compositeETag: String? {
        partCount == 0 ? nil : md5.map { "\(Hexadecimal.encode($0.finalize()))-\(partCount)" }
    }

    /// `sha256(concatenated sha256 of the parts)-N`, the hash in base64: `ChecksumSHA256` of type `COMPOSITE`.
    public var compositeSHA256: String? {
        partCount == 0 ? nil : sha256.map { "\(Data($0.finalize()).base64EncodedString())-\(partCount)" }
    }

    /// The CRCs of the whole content, as of type `FULL_OBJECT`; no hashes.
    public var fullObject: ContentDigests {
        guard partCount > 0 else { return ContentDigests(size: 0) }
        return ContentDigests(size: size, crc64nvme: crc64nvme, crc32c: crc32c)
    }

    private func zip<Value>(_ first: Value?, _ second: Value?, _ combine: (Value, Value) -> Value) -> Value? {
        if let first, let second { combine(first, second) } else { nil }
    }
}
