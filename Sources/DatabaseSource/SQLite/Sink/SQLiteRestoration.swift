internal import BackupCore
internal import CSQLite

/// A restore into SQLite: into a new file, or into a database that is there.
protocol SQLiteRestoration: AnyObject {
    /// The connection through which the target is read back.
    var connection: SQLiteConnection { get }
    /// The tables whose rows are wanted; nil for all that the archive holds.
    var tablesToLoad: Set<ExactName>? { get }
    /// The tables that hold the archive's rows and no others, once loaded.
    var provableTables: Set<ExactName> { get }
    var needsSurvey: Bool { get }
    func begin() throws
    func endSurvey() throws
    func loader(forTable name: String, description: TableDescription?) throws -> any TableLoader
    func finishLoading() throws -> LoadReport
    func commit() throws
    func rollback()
}

/// Takes rows and leaves them: those of a table that is not restored, with a warning said elsewhere.
final class SQLiteSkippingLoader: TableLoader {
    func makeBuffer() -> any DecodedRows { SQLiteDecodedRows(columnCount: 1) }
    func decode(_ batch: RowBatch, into rows: any DecodedRows) throws {}
    func survey(_ rows: any DecodedRows) throws {}
    func load(_ rows: any DecodedRows) throws {}
}

extension SQLiteConnection {
    /// The first column of all rows.
    func texts(_ sql: String, _ arguments: String...) throws(BackupError) -> [String] {
        let statement = try prepare(sql)
        for (index, argument) in arguments.enumerated() { statement.bind(argument, at: Int32(index + 1)) }
        var texts: [String] = []
        while try statement.step() {
            if let text = try statement.text(0) { texts.append(text) }
        }
        return texts
    }

    /// Foreign keys without a parent: child table and parent table, and how many rows.
    ///
    /// Where a declaration itself is at fault (a parent without a unique key), `notes` says so.
    func foreignKeyViolations(
        notes: inout [String]
    ) throws(BackupError) -> [SQLiteForeignKeyPair: Int64] {
        var violations: [SQLiteForeignKeyPair: Int64] = [:]
        let children = try texts(
            """
            SELECT t.name FROM sqlite_schema AS t
            WHERE t.type='table' AND t.sql IS NOT NULL AND EXISTS (SELECT 1 FROM pragma_foreign_key_list(t.name))
            """)
        for child in children {
            do {
                let statement = try prepare("SELECT parent,count(*) FROM pragma_foreign_key_check(?) GROUP BY 1")
                statement.bind(child, at: 1)
                while try statement.step() {
                    let pair = SQLiteForeignKeyPair(
                        child: SQLiteName(child), parent: SQLiteName(try statement.text(0) ?? ""))
                    violations[pair, default: 0] += statement.integer(1)
                }
            } catch let error {
                guard error.code == .source else { throw error }
                notes.append("the foreign keys of table \"\(child)\" cannot be checked: \(error.message)")
            }
        }
        return violations
    }
}

/// A table and one that its rows refer to.
struct SQLiteForeignKeyPair: Hashable, Comparable {
    var child: SQLiteName
    var parent: SQLiteName

    static func < (left: SQLiteForeignKeyPair, right: SQLiteForeignKeyPair) -> Bool {
        (left.child, left.parent) < (right.child, right.parent)
    }
}
