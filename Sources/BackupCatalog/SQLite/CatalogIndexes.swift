internal import GRDB

/// The indexes by which backups are listed: with a hundred thousand of them a page must not cost a sorting of all. Each
/// holds the very expressions that a list sorts and chooses by.
enum CatalogIndexes {
    private static let start = SQLiteCatalog.startExpression
    private static let status = SQLiteCatalog.statusExpression

    private static let columns: [(name: String, columns: String)] = [
        ("backups_start", "\(start), id"), ("backups_job_start", "job_id, \(start), id"),
        ("backups_status_start", "\(status), \(start), id"),
        ("backups_job_status_start", "job_id, \(status), \(start), id"),
    ]

    static func missing(in database: Database) throws -> [String] {
        let present = try String.fetchSet(database, sql: "SELECT name FROM sqlite_master WHERE type = 'index'")
        return columns.map(\.name).filter { !present.contains($0) }
    }

    /// Makes what is missing; each line tells of one.
    static func add(to database: Database) throws -> [String] {
        let missing = try missing(in: database)
        for index in columns where missing.contains(index.name) {
            try database.execute(sql: "CREATE INDEX IF NOT EXISTS \(index.name) ON backups(\(index.columns))")
        }
        return missing.map { "created the index \($0)" }
    }
}
