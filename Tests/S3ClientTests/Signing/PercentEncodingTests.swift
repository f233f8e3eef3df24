import S3Client
import TestSupport
import Testing

@Suite struct PercentEncodingTests {
    @Test(
        "Paths and queries are encoded as Signature Version 4 wants them",
        arguments: [
            ("", "", ""), ("a/b", "a/b", "a%2Fb"), ("//./../", "//./../", "%2F%2F.%2F..%2F"),
            ("AZaz09-._~", "AZaz09-._~", "AZaz09-._~"), (" +%&=?#", "%20%2B%25%26%3D%3F%23", "%20%2B%25%26%3D%3F%23"),
            ("\r\n\t\u{0}\u{7F}", "%0D%0A%09%00%7F", "%0D%0A%09%00%7F"), ("\r\n", "%0D%0A", "%0D%0A"),
            ("ü☃🎈", "%C3%BC%E2%98%83%F0%9F%8E%88", "%C3%BC%E2%98%83%F0%9F%8E%88"),
            ("u\u{308}", "u%CC%88", "u%CC%88"), ("`@[{^\\", "%60%40%5B%7B%5E%5C", "%60%40%5B%7B%5E%5C"),
        ])
    func encoding(_ text: String, _ path: String, _ query: String) {
        #expect(PercentEncoding.path(text) == path)
        #expect(PercentEncoding.query(text) == query)
    }

    @Test(
        "What cannot be decoded is nil",
        arguments: ["%", "%2", "a%", "%G0", "%0g", "%%20", "%FF", "%C3", "%C3%28", "%ED%A0%80", "%+1", "% 1"])
    func refusals(_ text: String) {
        #expect(PercentEncoding.decode(text, plusIsSpace: false) == nil)
        #expect(PercentEncoding.decode(text, plusIsSpace: true) == nil)
    }

    @Test("Lower-case escapes are read, and plus is a space only where asked for")
    func decoding() {
        #expect(PercentEncoding.decode("a%c3%bc+b", plusIsSpace: false) == "aü+b")
        #expect(PercentEncoding.decode("a%C3%BC+b%2B", plusIsSpace: true) == "aü b+")
        #expect(PercentEncoding.decode("", plusIsSpace: true)?.isEmpty == true)
    }

    @Test("Decoding undoes encoding for 20,000 random texts, byte for byte")
    func roundTrip() {
        var generator = SeededGenerator(seed: 20_130_524)
        for _ in 0..<20_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...24, using: &generator) {
                let limit: UInt32 = [0x80, 0x800, 0xD800, 0x11_0000].randomElement(using: &generator) ?? 0x80
                guard let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) else { continue }
                text.unicodeScalars.append(scalar)
            }
            for encoded in [PercentEncoding.path(text), PercentEncoding.query(text)] {
                for plusIsSpace in [false, true] {
                    let decoded = PercentEncoding.decode(encoded, plusIsSpace: plusIsSpace)
                    #expect(decoded.map { Array($0.utf8) } == Array(text.utf8))
                }
                #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "+") })
            }
        }
    }
}
