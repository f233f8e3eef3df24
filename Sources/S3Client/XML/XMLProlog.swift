/// What stands before the root of an XML document, looked at before a parser sees any of it: a document type can only
/// stand there, so that none is ever interpreted.
enum XMLProlog {
    /// - Returns: the document without a byte order mark and without the white space that servers send ahead of it to
    ///   keep a connection alive, and that XML does not allow before its declaration.
    /// - Throws: ``S3Error`` of kind `malformedAnswer` for an empty body, a web page, a document type, another
    ///   encoding than UTF-8 or ASCII, and what is no XML at all.
    static func check(_ bytes: [UInt8]) throws(S3Error) -> ArraySlice<UInt8> {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let document = rest
        // Foundation's parser traps on names that are not UTF-8.
        guard String(validating: document, as: UTF8.self) != nil else {
            throw XMLTree.malformed("the answer's body is not UTF-8")
        }
        while true {
            rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
            guard let first = rest.first else { throw XMLTree.malformed("the answer's body is empty") }
            guard first == UInt8(ascii: "<") else { throw XMLTree.malformed("the answer's body is not XML") }
            if starts(rest, with: "<!doctype html") || starts(rest, with: "<html") {
                throw XMLTree.malformed("the answer is a web page, not XML")
            }
            if starts(rest, with: "<!--") {
                rest = try after("-->", in: rest.dropFirst(4))
            } else if starts(rest, with: "<?") {
                if starts(rest, with: "<?xml ") { try checkEncoding(rest) }
                rest = try after("?>", in: rest.dropFirst(2))
            } else if starts(rest, with: "<!") {
                throw XMLTree.malformed("the answer's XML declares a document type")
            } else {
                return document
            }
        }
    }

    private static func starts(_ bytes: ArraySlice<UInt8>, with text: String) -> Bool {
        bytes.prefix(text.utf8.count).elementsEqual(text.utf8) { byte, wanted in
            byte == wanted || (byte | 0x20 == wanted && byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z"))
        }
    }

    private static func after(_ end: String, in bytes: ArraySlice<UInt8>) throws(S3Error) -> ArraySlice<UInt8> {
        let end = Array(end.utf8)
        var rest = bytes
        while !rest.isEmpty {
            if rest.starts(with: end) { return rest.dropFirst(end.count) }
            rest = rest.dropFirst()
        }
        throw XMLTree.malformed("the answer's XML is cut off before its first element")
    }

    /// Another encoding could hide a document type from this look.
    private static func checkEncoding(_ declaration: ArraySlice<UInt8>) throws(S3Error) {
        let text = String(decoding: declaration.prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self).lowercased()
        let words = text.split { " \t\r\n=?".contains($0) }
        guard let position = words.firstIndex(of: "encoding"), position + 1 < words.count else { return }
        let encoding = words[position + 1].drop { "\"'".contains($0) }.prefix { !"\"'".contains($0) }
        guard ["utf-8", "utf8", "us-ascii", "ascii"].contains(String(encoding)) else {
            throw XMLTree.malformed("the answer's XML is encoded as \(encoding.prefix(32)), not as UTF-8")
        }
    }
}
