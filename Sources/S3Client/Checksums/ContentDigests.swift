internal import Foundation

/// What a content's bytes come to, by each algorithm that was asked for.
public struct ContentDigests: Sendable, Hashable {
    /// Of the content, in bytes.
    public var size: Int64
    /// 32 bytes.
    public var sha256: [UInt8]?
    /// 16 bytes.
    public var md5: [UInt8]?
    /// CRC-64/NVME.
    public var crc64nvme: UInt64?
    /// CRC-32C.
    public var crc32c: UInt32?

    /// Digests as they are known.
    public init(
        size: Int64, sha256: [UInt8]? = nil, md5: [UInt8]? = nil, crc64nvme: UInt64? = nil, crc32c: UInt32? = nil
    ) {
        self.size = size
        self.sha256 = sha256
        self.md5 = md5
        self.crc64nvme = crc64nvme
        self.crc32c = crc32c
    }

    /// As in `x-amz-content-sha256`: 64 digits in lower case.
    public var sha256Hex: String? { sha256.map { Hexadecimal.encode($0) } }
    /// As in `x-amz-checksum-sha256`.
    public var sha256Base64: String? { sha256.map { Data($0).base64EncodedString() } }
    /// As in the ETag of a plain PUT: 32 digits in lower case.
    public var md5Hex: String? { md5.map { Hexadecimal.encode($0) } }
    /// As in `Content-MD5`.
    public var md5Base64: String? { md5.map { Data($0).base64EncodedString() } }
    /// 16 digits in lower case.
    public var crc64nvmeHex: String? { crc64nvme.map { Hexadecimal.encode(Self.bigEndian($0)) } }
    /// As in `x-amz-checksum-crc64nvme`: of the big-endian bytes.
    public var crc64nvmeBase64: String? { crc64nvme.map { Data(Self.bigEndian($0)).base64EncodedString() } }
    /// 8 digits in lower case.
    public var crc32cHex: String? { crc32c.map { Hexadecimal.encode(Self.bigEndian($0)) } }
    /// As in `x-amz-checksum-crc32c`: of the big-endian bytes.
    public var crc32cBase64: String? { crc32c.map { Data(Self.bigEndian($0)).base64EncodedString() } }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
