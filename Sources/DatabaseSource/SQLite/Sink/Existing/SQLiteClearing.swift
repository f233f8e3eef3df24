internal import BackupCore

/// Checks that deleting the rows of some tables leaves the others as they are.
struct SQLiteClearing {
    private let tables: Set<SQLiteName>
    private let connection: SQLiteConnection

    init(tables: [String], on connection: SQLiteConnection) {
        self.tables = Set(tables.map { SQLiteName($0) })
        self.connection = connection
    }

    /// Refuses where rows of another table refer to a table that is cleared, or would go along with its rows.
    func check() throws(BackupError) {
        let statement = try connection.prepare(
            """
            SELECT t.name, f."table", f.on_delete, f."from" FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f
            WHERE t.type='table' AND t.rootpage>0 ORDER BY 1, 2
            """)
        while try statement.step() {
            let child = try statement.text(0) ?? ""
            let parent = try statement.text(1) ?? ""
            guard tables.contains(SQLiteName(parent)), !tables.contains(SQLiteName(child)) else { continue }
            let action = try statement.text(2) ?? ""
            if ["CASCADE", "SET NULL", "SET DEFAULT"].contains(action) {
                throw refusal(child, parent, "by ON DELETE \(action), its rows would change with them")
            }
            let column = SQLiteConnection.quote(try statement.text(3) ?? "")
            let isUsed = try connection.integer(
                "SELECT 1 FROM main.\(SQLiteConnection.quote(child)) AS c WHERE c.\(column) IS NOT NULL LIMIT 1")
            if isUsed != nil { throw refusal(child, parent, "it holds rows that refer to them") }
        }
    }

    private func refusal(_ child: String, _ parent: String, _ reason: String) -> BackupError {
        BackupError(
            .target,
            "the rows of table \"\(parent)\" cannot be cleared because of table \"\(child)\", which was not chosen: "
                + "\(reason); restore both tables together")
    }
}
