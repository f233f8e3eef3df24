internal import BackupCore

/// A table of a target as it is there (https://sqlite.org/pragma.html#pragma_table_xinfo).
struct SQLiteTargetTable {
    struct Column {
        var name: String
        var type: String
        var isGenerated: Bool
        /// The position in the primary key from 1, or 0.
        var keyPosition: Int
    }

    var name: String
    var columns: [Column]
    var isWithoutRowid: Bool

    /// The column that is the row number by another name; nil where there is none.
    var integerKey: String?

    /// A name under which the hidden row number can be written, where the table has one.
    var rowidName: String? {
        if isWithoutRowid { return nil }
        return ["rowid", "_rowid_", "oid"].first { name in
            !columns.contains { SQLiteName($0.name) == SQLiteName(name) }
        }
    }

    init(_ name: String, on connection: SQLiteConnection) throws(BackupError) {
        self.name = name
        columns = []
        let statement = try connection.prepare("SELECT name,type,hidden,pk FROM pragma_table_xinfo(?)")
        statement.bind(name, at: 1)
        while try statement.step() {
            columns.append(
                Column(
                    name: try statement.text(0) ?? "", type: try statement.text(1) ?? "",
                    isGenerated: statement.integer(2) >= 2, keyPosition: Int(statement.integer(3))))
        }
        isWithoutRowid = try connection.integer("SELECT wr FROM pragma_table_list(?) WHERE schema='main'", name) == 1
        let keys = columns.filter { $0.keyPosition > 0 }
        if !isWithoutRowid, keys.count == 1, asciiLowercased(keys[0].type) == "integer",
            try connection.integer("SELECT count(*) FROM pragma_index_list(?) WHERE origin='pk'", name) == 0
        {
            integerKey = keys[0].name
        }
    }

    func column(_ name: String) -> Column? {
        let name = SQLiteName(name)
        return columns.first { SQLiteName($0.name) == name }
    }
}
