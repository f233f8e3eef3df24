package import BackupCore

/// What an archive says, or a reader found, about one table's rows.
package struct TableTotals: Sendable, Equatable {
    package var name: String
    package var rows: Int64
    package var digest: TableDigest

    package init(name: String, rows: Int64 = 0, digest: TableDigest = TableDigest()) {
        self.name = name
        self.rows = rows
        self.digest = digest
    }

    package static func == (left: TableTotals, right: TableTotals) -> Bool {
        left.name.isExactly(right.name) && left.rows == right.rows && left.digest == right.digest
    }
}

/// What an archive's last member repeats, so that damage is found without a manifest.
struct ArchiveSummary: Equatable {
    var tables: [TableTotals]
    /// The bytes of the file in front of the summary's own member.
    var precedingBytes: Int
    /// SHA-256 of those bytes, in lower-case hexadecimal digits.
    var precedingSHA256: String

    var recordCount: Int64 { tables.reduce(0) { $0 &+ $1.rows } }

    /// The last member's text: what closes `tables`, the summary, and what closes the whole object.
    func text() -> [UInt8] {
        var text = Array("\n},\n\"summary\": {\n\"tables\": [".utf8)
        for (index, table) in tables.enumerated() {
            text += Array((index == 0 ? "\n" : ",\n").utf8) + Array("{\"name\":".utf8)
            JSONBuilder.append(string: table.name, to: &text)
            text += Array(",\"rows\":\(table.rows),\"digest\":\"\(table.digest.hexadecimal)\"}".utf8)
        }
        text += Array("\n],\n\"record_count\": \(recordCount),\n\"preceding_bytes\": \(precedingBytes),\n".utf8)
        text += Array("\"preceding_sha256\": \"\(precedingSHA256)\"\n}\n}\n".utf8)
        return text
    }

    private struct Body: Decodable {
        struct Table: Decodable {
            var name: String
            var rows: Int64
            var digest: String
        }
        var tables: [Table]
        var record_count: Int64
        var preceding_bytes: Int
        var preceding_sha256: String
    }

    init(tables: [TableTotals], precedingBytes: Int, precedingSHA256: String) {
        self.tables = tables
        self.precedingBytes = precedingBytes
        self.precedingSHA256 = precedingSHA256
    }

    /// Reads what ``text()`` wrote, and nothing else.
    init(text: [UInt8]) throws {
        let opening = Array("\n},\n\"summary\": ".utf8)
        guard text.starts(with: opening), text.suffix(3) == Array("\n}\n".utf8)[...] else {
            throw BackupError(.damaged, "the archive does not end with its summary")
        }
        let body = try JSONValue.decode(Body.self, Array(text[opening.count..<text.count - 3]))
        tables = try body.tables.map { table in
            guard let digest = TableDigest(hexadecimal: table.digest) else {
                throw BackupError(.damaged, "the summary's digest of table \"\(table.name)\" is malformed")
            }
            return TableTotals(name: table.name, rows: table.rows, digest: digest)
        }
        precedingBytes = body.preceding_bytes
        precedingSHA256 = body.preceding_sha256
        guard self.text() == text else {
            throw BackupError(.damaged, "the archive's summary is not as it was written")
        }
    }
}
