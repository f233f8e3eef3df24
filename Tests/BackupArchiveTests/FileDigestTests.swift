import BackupArchive
import Testing

@Suite("The digest of a file")
struct FileDigestTests {
    /// FIPS 180-4's published value for `abc`.
    @Test("equals the standard's example")
    func standardExample() {
        var digest = FileDigest()
        Array("abc".utf8).withUnsafeBytes { digest.update($0) }
        #expect(digest.hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(digest.count == 3)
    }
}
