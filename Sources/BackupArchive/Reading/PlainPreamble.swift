internal import BackupCore
internal import BackupFiles

/// What an export says of itself in front of its tables: where it came from and what its columns mean. Elder's files
/// have none of it, and their rows are then read as Elder wrote them.
enum PlainPreamble {
    /// The top-level key.
    static let key = "export"
    /// In bytes.
    private static let longest = 8 << 20

    private struct Description: Decodable {
        var format: Int
        var tables: [TableDescription]
    }

    /// The header of a file in the plain form, as far as it can be known before its rows are read.
    static func read(_ file: InputFile) throws -> ArchiveHeader {
        var header = ArchiveHeader(version: "")
        var scanner = PlainScanner(stream: try PlainTextStream(file: file), longestRow: longest)
        guard try scanner.take(UInt8(ascii: "{")), try scanner.peek() == UInt8(ascii: "\"") else { return header }
        while true {
            let name = try scanner.string()
            try scanner.expect(UInt8(ascii: ":"))
            if name.isExactly("tables") { return header }
            if name.isExactly(key) {
                let range = try scanner.value(atMost: longest)
                let text = Array(UnsafeBufferPointer(start: scanner.bytes, count: range.upperBound)[range])
                try describe(text, in: &header)
                return header
            }
            // Behind anything else it is not looked for: that may be as long as it likes.
            guard PlainProducer.identityKeys.contains(ExactName(name)) else { return header }
            _ = try scanner.value(atMost: PlainProducer.longestIdentity)
            guard try scanner.take(UInt8(ascii: ",")) else { return header }
        }
    }

    private static func describe(_ text: [UInt8], in header: inout ArchiveHeader) throws {
        let description = try JSONValue.decode(Description.self, text)
        guard description.format == 1 else {
            throw BackupError(
                .unsupported,
                "the export has format \(description.format), and this program reads format 1: use a newer one")
        }
        header.source = try JSONSlices(object: text)["source"]
        guard header.source != nil else { throw BackupError(.damaged, "the export does not tell where it came from") }
        header.tables = description.tables
    }
}
