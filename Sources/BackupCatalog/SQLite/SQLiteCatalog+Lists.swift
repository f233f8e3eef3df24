package import BackupCore
internal import GRDB

extension SQLiteCatalog {
    package func records(jobID: Int64?, status: BackupRecord.Status?, limit: Int?) throws -> [BackupRecord] {
        var query = BackupQuery()
        query.jobID = jobID
        query.status = status
        var (sql, arguments) = SQLiteCatalog.condition(query)
        sql += SQLiteCatalog.newestFirst
        if let limit {
            sql += " LIMIT ?"
            arguments += [max(limit, 0)]
        }
        return try selectRecords(sql, arguments)
    }

    package func completed(jobID: Int64, holding content: BackupContent?, limit: Int) throws -> [BackupRecord] {
        var query = BackupQuery()
        query.jobID = jobID
        query.status = .completed
        var (sql, arguments) = SQLiteCatalog.condition(query)
        if let content {
            sql += "AND source_identity = ? AND source_scope = ? "
            arguments += [content.identity, content.scope]
        } else {
            sql += "AND (coalesce(source_identity, '') = '' OR coalesce(source_scope, '') = '') "
        }
        return try selectRecords(sql + SQLiteCatalog.newestFirst + " LIMIT ?", arguments + [max(limit, 0)])
    }

    package func page(_ query: BackupQuery) throws -> BackupPage {
        var (sql, arguments) = SQLiteCatalog.condition(query)
        let limit = max(query.limit, 1)
        // One more than asked for tells whether there is a next page.
        sql += SQLiteCatalog.newestFirst + " LIMIT ?"
        arguments += [limit + 1]
        let found = try selectPlaced(sql, arguments)
        let last = found.count > limit ? found[limit - 1] : nil
        return BackupPage(
            records: found.prefix(limit).map(\.record), next: last.map { BackupCursor(key: $0.key, id: $0.record.id) })
    }

    private static func condition(_ query: BackupQuery) -> (sql: String, arguments: StatementArguments) {
        var conditions: [String] = []
        var arguments: StatementArguments = []
        func add(_ condition: String, _ values: StatementArguments) {
            conditions.append(condition)
            arguments += values
        }
        if let jobID = query.jobID { add("job_id = ?", [jobID]) }
        if let status = query.status { add("\(statusExpression) = ?", [status.rawValue]) }
        if let since = query.since { add("\(startExpression) >= ?", [since.sql]) }
        if let until = query.until { add("\(startExpression) < ?", [until.sql]) }
        // The first half is there for the index, which knows nothing of rows of values made of expressions.
        if let cursor = query.cursor {
            add(
                "\(startExpression) <= ? AND (\(startExpression) < ? OR id < ?)", [cursor.key, cursor.key, cursor.id])
        }
        return (conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ") + " ", arguments)
    }
}
