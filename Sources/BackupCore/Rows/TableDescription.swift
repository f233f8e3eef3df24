/// How the values of a column are written in an archive (`docs/archive-format.md`, "Values").
package enum ColumnEncoding: String, Sendable, Codable, CaseIterable {
    /// Each value by its own kind: number, string, or a tagged object for what JSON cannot hold.
    case value
    /// The integers 0 and 1 as `false` and `true`; anything else as in ``value``.
    case boolean
    /// Text that holds a JSON value as that value, byte for byte, where safe; anything else tagged.
    case json
    /// Byte strings as a base64 string; text tagged; numbers as in ``value``.
    case bytes
}

/// One column of a table as an archive describes it.
package struct ColumnDescription: Sendable, Codable, Equatable {
    package var name: String
    /// The type as the schema declares it; empty where it declares none.
    package var type: String
    package var encoding: ColumnEncoding

    package init(name: String, type: String, encoding: ColumnEncoding) {
        self.name = name
        self.type = type
        self.encoding = encoding
    }

    package static func == (left: ColumnDescription, right: ColumnDescription) -> Bool {
        left.name.isExactly(right.name) && left.type.isExactly(right.type) && left.encoding == right.encoding
    }
}

/// One table whose rows an archive holds.
package struct TableDescription: Sendable, Codable, Equatable {
    /// The table's key in `tables`: its plain name in the default schema, else `"schema"."table"`.
    package var name: String
    /// The columns in the order in which each row object names them.
    package var columns: [ColumnDescription]
    /// The key under which each row object carries the row's hidden row number, where the table has one worth keeping.
    /// It comes first in the row, before the columns.
    package var rowidKey: String?

    private enum CodingKeys: String, CodingKey {
        case name, columns
        case rowidKey = "rowid_key"
    }

    package init(name: String, columns: [ColumnDescription], rowidKey: String? = nil) {
        self.name = name
        self.columns = columns
        self.rowidKey = rowidKey
    }

    package static func == (left: TableDescription, right: TableDescription) -> Bool {
        left.name.isExactly(right.name) && left.columns == right.columns
            && left.rowidKey.map(ExactName.init(_:)) == right.rowidKey.map(ExactName.init(_:))
    }
}
