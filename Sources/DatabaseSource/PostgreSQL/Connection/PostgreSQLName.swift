internal import BackupCore

/// The name of a table and its schema.
struct PostgreSQLName: Hashable, Sendable, Comparable {
    let schema: ExactName
    let name: ExactName

    init(schema: String, name: String) {
        self.schema = ExactName(schema)
        self.name = ExactName(name)
    }

    /// The schema whose tables go by their plain names in an archive.
    private static let defaultSchema = ExactName("public")

    /// Reads a table's key in an archive: `name`, or `"schema"."name"`.
    init(archiveKey key: String) {
        guard let parts = PostgreSQLName.quotedParts(key) else {
            self.init(schema: PostgreSQLName.defaultSchema.text, name: key)
            return
        }
        self.init(schema: parts.0, name: parts.1)
    }

    /// The table's key in an archive: its plain name in the schema `public`, else `"schema"."name"`. A plain name that
    /// could be read as the latter is written as the latter.
    var archiveKey: String {
        schema == PostgreSQLName.defaultSchema && !name.text.utf8.starts(with: [UInt8(ascii: "\"")])
            ? name.text : quoted
    }

    /// As it stands in a statement.
    var quoted: String { PostgreSQLName.quote(schema.text) + "." + PostgreSQLName.quote(name.text) }

    static func quote(_ name: String) -> String { quote(name, "\"") }

    /// A string constant, with `standard_conforming_strings` on.
    static func literal(_ text: String) -> String { quote(text, "'") }

    private static func quote(_ text: String, _ mark: Unicode.Scalar) -> String {
        var output = String.UnicodeScalarView([mark])
        for scalar in text.unicodeScalars {
            if scalar == mark { output.append(mark) }
            output.append(scalar)
        }
        output.append(mark)
        return String(output)
    }

    private static func quotedParts(_ key: String) -> (String, String)? {
        var parts: [String] = []
        var rest = Array(key.unicodeScalars)[...]
        while rest.first == "\"" {
            rest.removeFirst()
            var part = String.UnicodeScalarView()
            while let scalar = rest.popFirst() {
                if scalar == "\"" {
                    guard rest.first == "\"" else { break }
                    rest.removeFirst()
                }
                part.append(scalar)
            }
            parts.append(String(part))
            guard rest.popFirst() == "." else { break }
        }
        return parts.count == 2 && rest.isEmpty ? (parts[0], parts[1]) : nil
    }

    static func < (left: PostgreSQLName, right: PostgreSQLName) -> Bool {
        ExactName(left.archiveKey) < ExactName(right.archiveKey)
    }
}
