import BackupArchive
import BackupCore

/// Compression of arrays.
enum Deflation {
    static func deflate(_ text: [UInt8], _ level: CompressionLevel) throws -> [UInt8]? {
        let deflater = try level.makeDeflater()
        var output = [UInt8](repeating: 0, count: deflater.bound(text.count))
        let length = text.withUnsafeBytes { bytes in
            output.withUnsafeMutableBytes { out in
                out.baseAddress.flatMap { deflater.deflate(bytes, into: $0, capacity: out.count) }
            }
        }
        return length.map { Array(output[..<$0]) }
    }

    /// Nil where the data are not those of a text of this length.
    static func inflate(_ data: [UInt8], length: Int) throws -> [UInt8]? {
        let inflater = try MemberInflater()
        var text = [UInt8](repeating: 0, count: max(1, length))
        let isWhole = data.withUnsafeBytes { bytes in
            text.withUnsafeMutableBytes { out in
                out.baseAddress.map { inflater.inflate(bytes, into: $0, length: length) } ?? false
            }
        }
        return isWhole ? Array(text[..<length]) : nil
    }

    static func checks(_ data: [UInt8], _ text: [UInt8]) throws -> Bool {
        let inflater = try MemberInflater()
        return data.withUnsafeBytes { bytes in text.withUnsafeBytes { inflater.check(bytes, against: $0) } }
    }
}
