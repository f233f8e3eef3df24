internal import Foundation
internal import FoundationXML

/// An XML answer as a tree of elements, for bodies that are small by contract (errors, listings, configurations).
///
/// Elements go by their local names: providers differ in namespaces and some send none. Attributes, comments and
/// processing instructions are dropped. What could cost more than it weighs is refused: declarations of document
/// types, and with them entities of one's own; more than ``maximumDepth`` levels; more bytes than the limit.
package struct XMLTree: Sendable, Equatable {
    /// Without the prefix.
    package let name: String
    /// The element's own characters in their order, not trimmed, without those of its children.
    package let text: String
    package let children: [XMLTree]

    package static let maximumDepth = 32
    /// A listing of 1,000 keys of 1,024 bytes, each byte escaped, is below half of this.
    package static let defaultLimit = 8 << 20

    package init(name: String, text: String = "", children: [XMLTree] = []) {
        self.name = name
        self.text = text
        self.children = children
    }

    /// The first child of that name.
    package func child(_ name: String) -> XMLTree? { children.first { $0.name == name } }

    package func children(_ name: String) -> [XMLTree] { children.filter { $0.name == name } }

    /// - Parameters:
    ///   - root: the name that the root must have; any where nil.
    ///   - limit: in bytes.
    /// - Throws: ``S3Error`` of kind `malformedAnswer`.
    package static func parse(
        _ bytes: [UInt8], root: String? = nil, limit: Int = defaultLimit
    ) throws(S3Error) -> XMLTree {
        guard bytes.count <= limit else {
            throw malformed("the answer's XML is \(bytes.count) bytes long, more than \(limit)")
        }
        let document = try XMLProlog.check(bytes)
        let builder = XMLTreeBuilder()
        let parser = XMLParser(data: Data(document))
        parser.shouldResolveExternalEntities = false
        parser.delegate = builder
        let succeeded = parser.parse()
        if let failure = builder.failure { throw malformed(failure) }
        guard succeeded, !builder.isBroken, let tree = builder.root else {
            throw malformed(
                "the answer's XML is broken or cut off at line \(parser.lineNumber), column \(parser.columnNumber)")
        }
        if let root, tree.name != root {
            throw malformed("the answer's root is <\(tree.name.prefix(64))>, not <\(root)>")
        }
        return tree
    }

    static func malformed(_ message: String) -> S3Error {
        S3Error(.malformedAnswer, message + "; is the endpoint an S3 server, with nothing in between?")
    }
}

/// Builds the tree from the parser's events, and stops it at the first thing that is not allowed.
private final class XMLTreeBuilder: NSObject, XMLParserDelegate {
    private struct Open {
        var name: String
        var text = ""
        var children: [XMLTree] = []
    }

    private var open: [Open] = []
    private(set) var root: XMLTree?
    private(set) var failure: String?
    private(set) var isBroken = false

    private func refuse(_ parser: XMLParser, _ reason: String) {
        if failure == nil { failure = reason }
        parser.abortParsing()
    }

    func parser(
        _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        guard failure == nil else { return }
        guard open.count < XMLTree.maximumDepth else {
            return refuse(parser, "the answer's XML is nested deeper than \(XMLTree.maximumDepth) levels")
        }
        open.append(Open(name: elementName.split(separator: ":").last.map(String.init) ?? elementName))
    }

    func parser(
        _ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName: String?
    ) {
        guard failure == nil, let last = open.popLast() else { return }
        let tree = XMLTree(name: last.name, text: last.text, children: last.children)
        if open.isEmpty { root = tree } else { open[open.count - 1].children.append(tree) }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        guard failure == nil, !open.isEmpty else { return }
        open[open.count - 1].text += string
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        guard failure == nil, !open.isEmpty else { return }
        open[open.count - 1].text += String(decoding: block, as: UTF8.self)
    }

    /// Errors of namespaces (libxml2's 99, 100 and 200 to 205) do no harm, as prefixes are dropped. Other errors may
    /// leave `parse` true, such as text after the root.
    func parser(_ parser: XMLParser, parseErrorOccurred parseError: any Error) {
        let code = (parseError as NSError).code
        if code != 99, code != 100, !(200...205).contains(code) { isBroken = true }
    }

    func parser(_ parser: XMLParser, foundInternalEntityDeclarationWithName name: String, value: String?) {
        refuse(parser, "the answer's XML declares entities")
    }

    func parser(
        _ parser: XMLParser, foundExternalEntityDeclarationWithName name: String, publicID: String?, systemID: String?
    ) {
        refuse(parser, "the answer's XML declares entities")
    }
}
