internal import BackupCore
internal import GRDB

extension SQLiteCatalog {
    /// A boolean as the column keeps it: `T` and `F` where it is of a character type, as Elder's library (PyDAL)
    /// declares it and expects to find it, else 1 and 0.
    static func boolean(_ value: Bool, column name: String, _ database: Database) throws -> DatabaseValue {
        let column = try database.columns(in: "backup_jobs").first { $0.name.lowercased() == name }
        let isText = column?.type.uppercased().contains("CHAR") ?? false
        return isText ? (value ? "T" : "F").databaseValue : (value ? 1 : 0).databaseValue
    }

    static func insert(_ values: [String: DatabaseValue], into table: String, _ database: Database) throws {
        let columns = values.keys.sorted()
        let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
        try database.execute(
            sql: "INSERT INTO \(table)(\(columns.joined(separator: ", "))) VALUES (\(marks))",
            arguments: StatementArguments(columns.map { values[$0] })
        )
    }

    static func update(
        _ values: [String: DatabaseValue], in table: String, id: Int64, _ database: Database
    ) throws {
        let columns = values.keys.sorted()
        let assignments = columns.map { $0 + " = ?" }.joined(separator: ", ")
        try database.execute(
            sql: "UPDATE \(table) SET \(assignments) WHERE id = ?",
            arguments: StatementArguments(columns.map { values[$0] }) + [id]
        )
    }
}
