import S3Client
import TestSupport
import Testing

@Suite struct XMLTreeTests {
    private func parse(_ text: String, root: String? = nil, limit: Int = XMLTree.defaultLimit) throws -> XMLTree {
        try XMLTree.parse(Array(text.utf8), root: root, limit: limit)
    }

    @Test(
        "Elements go by local names, whatever the namespaces",
        arguments: [
            "<R><Key>a</Key></R>",
            "<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Key>a</Key></R>",
            "\u{FEFF}<?xml version='1.0' encoding='utf-8'?>\n<!-- <!DOCTYPE a> -->\n<s:R xmlns:s=\"x\"><s:Key>a</s:Key></s:R>",
            "<?xml version=\"1.0\"?><R><Key xmlns:xsi=\"y\" xsi:type=\"z\">a</Key></R>",
            "  \n <R><Key>a</Key></R>\n\n", "<R><Key xsi:type=\"z\">a</Key></R>", "<s:R><t:Key>a</t:Key></s:R>",
            "<R xmlns=\"rel/ative\"><Key>a</Key></R>", "<R xmlns=\"\"><Key>a</Key></R><!-- end -->",
        ])
    func localNames(_ text: String) throws {
        let tree = try parse(text, root: "R")
        #expect(tree == XMLTree(name: "R", children: [XMLTree(name: "Key", text: "a")]))
    }

    @Test("Keep-alive white space before the declaration is accepted, as Complete and Copy send it")
    func leadingWhiteSpace() throws {
        let tree = try parse("\n \n <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R><Key>a</Key></R>", root: "R")
        #expect(tree.child("Key")?.text == "a")
    }

    @Test("Text is exact: white space, references, carriage returns, CDATA, long runs")
    func exactText() throws {
        let long = String(repeating: "äö☃🎈x", count: 20_000)
        let tree = try parse(
            "<R><a>  x &amp; &lt;y&gt; </a><b>p&#13;q&#xD;\n&quot;&apos;&#x1F388;</b><c><![CDATA[<!DOCTYPE & >]]>!</c>"
                + "<d>\(long)</d><e/><e>1</e><e>2</e></R>")
        #expect(tree.child("a")?.text == "  x & <y> ")
        #expect(tree.child("b")?.text.unicodeScalars.elementsEqual("p\rq\r\n\"'🎈".unicodeScalars) == true)
        #expect(tree.child("c")?.text == "<!DOCTYPE & >!")
        #expect(tree.child("d")?.text == long)
        #expect(tree.children("e").map(\.text) == ["", "1", "2"])
        #expect(tree.child("f") == nil)
    }

    @Test("Depth of 32 is read, 33 and 100,000 are refused")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
        }
        #expect(try parse(nested(32)).name == "a")
        for depth in [33, 100_000] {
            let error = #expect(throws: S3Error.self) { try parse(nested(depth)) }
            #expect(error?.kind == .malformedAnswer)
            #expect(error?.message.contains("nested deeper than 32") == true)
        }
        #expect(throws: S3Error.self) { try parse(String(repeating: "<a>", count: 100_000)) }
    }

    @Test("More bytes than the limit are refused, unparsed")
    func byteLimit() throws {
        #expect(try parse("<R>1234</R>", limit: 11).text == "1234")
        let error = #expect(throws: S3Error.self) { try parse("<R>12345</R>", limit: 11) }
        #expect(error?.message.contains("12 bytes") == true)
    }

    @Test(
        "What is no answer is refused, with a word on what it is",
        arguments: [
            ("", "empty"), (" \n", "empty"), ("Not found", "not XML"), ("{\"a\":1}", "not XML"),
            ("\u{0}<R/>", "not XML"),
            ("<!DOCTYPE html><html></html>", "web page"), ("<!doctype HTML>", "web page"),
            ("<HTML><body>", "web page"), ("<html/>", "web page"),
            ("<!DOCTYPE R><R/>", "document type"),
            ("<!-- x --><?p q?><!DOCTYPE R [<!ENTITY a \"b\">]><R>&a;</R>", "document type"),
            ("<!DOCTYPE R SYSTEM \"file:///etc/passwd\"><R/>", "document type"),
            ("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADw-R/+AD4-", "encoded as utf-7"),
            ("<?xml version=\"1.0\" encoding = 'UTF-16'?><R/>", "encoded as utf-16"),
            ("<!-- never ends", "cut off"), ("<?xml version=\"1.0\"", "cut off"),
            ("<R><Key>a</Key>", "cut off"), ("<R><Key>a", "cut off"), ("<R", "cut off"),
            ("<R><Key></R></Key>", "broken"),
            ("<R/><R/>", "broken"), ("<R/>rest", "broken"), ("<R>&nbsp;</R>", "broken"), ("<R>\u{1}</R>", "broken"),
            ("<>", "broken"),
            ("<Error><Code>X</Code></Error>", "root is <Error>, not <R>"),
        ])
    func refusals(_ text: String, _ word: String) {
        let error = #expect(throws: S3Error.self, "\(text)") { try parse(text, root: "R") }
        #expect(error?.kind == .malformedAnswer)
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "") for \(text)")
    }

    @Test("An entity bomb costs nothing")
    func bomb() {
        var text = "<?xml version=\"1.0\"?><!DOCTYPE R [<!ENTITY a0 \"ha\">"
        for level in 1...40 { text += "<!ENTITY a\(level) \"&a\(level - 1);&a\(level - 1);\">" }
        text += "]><R>&a40;</R>"
        #expect(throws: S3Error.self) { try parse(text) }
    }

    @Test("UTF-16 is refused with either byte order")
    func utf16() {
        var little: [UInt8] = [0xFF, 0xFE]
        var big: [UInt8] = [0xFE, 0xFF]
        for unit in "<!DOCTYPE R><R/>".utf16 {
            little += [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
            big += [UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit)]
        }
        for bytes in [little, big, Array(little.dropFirst(2)), Array(big.dropFirst(2))] {
            #expect(throws: S3Error.self) { try XMLTree.parse(bytes) }
        }
    }

    @Test("Every prefix of an answer, and every byte of it changed, is read or refused without a trap")
    func damaged() throws {
        let whole = Array(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><R xmlns=\"u\" xmlns:b=\"v\" b:c=\"d\"><!-- c --><b:Key>ä&amp;</b:Key><![CDATA[d]]></R>"
                .utf8
        )
        _ = try XMLTree.parse(whole, root: "R")
        for count in 0..<whole.count {
            #expect(throws: S3Error.self) { try XMLTree.parse(Array(whole.prefix(count)), root: "R") }
        }
        var generator = SeededGenerator(seed: 1)
        let odd = [
            "\u{0}", " ", "&", "<", ">", "/", "\"", ":", "=", "]", "ä", "&#0;", "&#xD800;", "xmlns:", "<!", "<?",
        ]
        for _ in 0..<20_000 {
            var changed = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let start = Int.random(in: 0..<changed.count, using: &generator)
                let end = Int.random(in: start...min(changed.count, start + 4), using: &generator)
                changed.replaceSubrange(start..<end, with: Array((odd.randomElement(using: &generator) ?? "").utf8))
            }
            if generator.chance(1, in: 8) { changed[changed.count / 2] = 0xC3 }
            _ = try? XMLTree.parse(changed, root: "R")
        }
    }

    @Test("What is not UTF-8 is refused wherever it stands", arguments: ["<R\u{1}/>", "<R \u{1}=''/>", "<R>\u{1}</R>"])
    func notUTF8(_ text: String) {
        let bytes = text.utf8.map { $0 == 1 ? 0xC3 : $0 }
        let error = #expect(throws: S3Error.self) { try XMLTree.parse(bytes) }
        #expect(error?.message.contains("not UTF-8") == true)
    }
}
