import S3Client
import Testing

@Suite struct XMLTextTests {
    @Test(
        "What is escaped is read back as it was",
        arguments: [
            "", "plain", "a&b<c>d\"e'f", "\r", "a\r\nb\tc", "]]>", "&amp;", "ünï☃🎈", " \u{7F}\u{85}\u{2028}", "%0D+",
        ])
    func roundTrip(_ text: String) throws {
        let document = "<R><Key>\(try XMLText.escape(text))</Key></R>"
        let read = try XMLTree.parse(Array(document.utf8)).child("Key")?.text
        #expect(read.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test("Escapes are those that every server knows")
    func escapes() throws {
        #expect(try XMLText.escape("&<>\"'\r") == "&amp;&lt;&gt;&quot;&apos;&#13;")
    }

    @Test(
        "Characters that XML cannot hold are refused by their number",
        arguments: [
            ("\u{0}", "U+0000"), ("a\u{1}", "U+0001"), ("\u{B}", "U+000B"), ("\u{1F}x", "U+001F"),
            ("\u{FFFE}", "U+FFFE"),
            ("\u{FFFF}", "U+FFFF"),
        ])
    func refusals(_ text: String, _ name: String) {
        let error = #expect(throws: S3Error.self) { try XMLText.escape(text) }
        #expect(error?.kind == .configuration)
        #expect(error?.message.contains(name) == true)
    }
}
