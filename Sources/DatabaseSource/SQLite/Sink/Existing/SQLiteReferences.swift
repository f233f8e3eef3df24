internal import BackupCore

/// A column of a table.
struct SQLiteColumnID: Hashable {
    let table: SQLiteName
    let column: SQLiteName

    init(_ table: String, _ column: String) {
        self.table = SQLiteName(table)
        self.column = SQLiteName(column)
    }
}

/// A declared foreign key (https://sqlite.org/pragma.html#pragma_foreign_key_list).
struct SQLiteReference {
    var child: String
    var parent: String
    /// The columns of the child, and for each that of the parent.
    var columns: [(from: String, to: String)]

    func from(_ index: Int) -> SQLiteColumnID { SQLiteColumnID(child, columns[index].from) }
    func to(_ index: Int) -> SQLiteColumnID { SQLiteColumnID(parent, columns[index].to) }

    /// All that are declared in a database. Where no columns are named, those of the primary key are meant.
    static func all(on connection: SQLiteConnection) throws(BackupError) -> [SQLiteReference] {
        let statement = try connection.prepare(
            """
            SELECT t.name, f.id, f."table", f."from", f."to"
            FROM main.sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f
            WHERE t.type='table' AND t.rootpage>0 ORDER BY t.rowid, f.id, f.seq
            """)
        var references: [SQLiteReference] = []
        var last: (child: String, id: Int64)?
        while try statement.step() {
            let child = try statement.text(0) ?? ""
            let parent = try statement.text(2) ?? ""
            let from = try statement.text(3) ?? ""
            if last?.child != child || last?.id != statement.integer(1) {
                references.append(SQLiteReference(child: child, parent: parent, columns: []))
                last = (child, statement.integer(1))
            }
            let place = references.count - 1
            let to: String?
            if let named = try statement.text(4) {
                to = named
            } else {
                to = try connection.text(
                    "SELECT name FROM pragma_table_info(?) WHERE pk=\(references[place].columns.count + 1)", parent)
            }
            // A key that is declared at odds with its parent is none that a value could lead along.
            if let to { references[place].columns.append((from, to)) }
        }
        return references
    }
}
