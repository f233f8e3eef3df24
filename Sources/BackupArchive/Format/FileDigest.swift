internal import Crypto

/// SHA-256 (FIPS 180-4) over a file that passes by.
package struct FileDigest {
    private var hasher = SHA256()
    package private(set) var count = 0

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hasher.update(bufferPointer: bytes)
        count += bytes.count
    }

    /// Of what has passed so far, in lower-case hexadecimal digits; more may follow.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in hasher.finalize() {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
