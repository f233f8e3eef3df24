package import BackupCore
internal import Foundation
internal import GRDB

extension SQLiteCatalog {
    package func figures(_ query: FiguresQuery) throws -> CatalogFigures {
        try read { database in
            var figures = CatalogFigures()
            figures.groups = try SQLiteCatalog.groups(database)
            figures.newestCompleted = try SQLiteCatalog.newest(completedOnly: true, query, database)
            figures.newestEnded = try SQLiteCatalog.newest(completedOnly: false, query, database)
            figures.ended = try SQLiteCatalog.ended(query, database)
            let running = "SELECT id FROM backups WHERE \(SQLiteCatalog.statusExpression) = 'running' ORDER BY id"
            figures.running = try Int64.fetchAll(database, sql: running)
            figures.lastID = try Int64.fetchOne(database, sql: "SELECT max(id) FROM backups") ?? 0
            figures.copies = try Row.fetchAll(
                database, sql: "SELECT store, state, count(*) AS n FROM backup_copies GROUP BY 1, 2 ORDER BY 1, 2"
            ).map { row in
                let row = LenientRow(row: row)
                return CatalogFigures.Copies(
                    store: row.text("store") ?? "", state: row.text("state") ?? "", count: row.integer("n") ?? 0)
            }
            for store in query.stores {
                figures.missingCopies[store] = try SQLiteCatalog.missingCopies(store, database)
            }
            figures.failedCopies = try SQLiteCatalog.failedCopies(database)
            return figures
        }
    }

    private static func groups(_ database: Database) throws -> [CatalogFigures.Group] {
        let sql = """
            SELECT job_id, \(statusExpression) AS known_status, count(*) AS n, sum(file_size) AS size
            FROM backups GROUP BY 1, 2 ORDER BY 1, 2
            """
        return try Row.fetchAll(database, sql: sql).map { row in
            let row = LenientRow(row: row)
            return CatalogFigures.Group(
                jobID: row.integer("job_id") ?? 0,
                status: row.text("known_status").flatMap(BackupRecord.Status.init(rawValue:)) ?? .failed,
                count: row.integer("n") ?? 0, size: row.integer("size") ?? 0)
        }
    }

    private static let runColumns =
        "job_id, \(statusExpression) AS known_status, started_at, coalesce(completed_at, updated_at) AS ended_at, "
        + "duration_seconds, file_size, record_count"

    /// Of each job's runs the newest of its own, and where there is none the newest. SQLite takes the other columns from
    /// the row that has the maximum (https://www.sqlite.org/lang_select.html#bareagg).
    private static func newest(
        completedOnly: Bool, _ query: FiguresQuery, _ database: Database
    ) throws -> [CatalogFigures.Run] {
        let condition = completedOnly ? "= 'completed'" : "!= 'running'"
        let sql = """
            WITH own(job, identity, scope) AS MATERIALIZED (
                SELECT CAST(json_extract(value, '$[0]') AS INTEGER), json_extract(value, '$[1]'),
                    json_extract(value, '$[2]')
                FROM json_each(?))
            SELECT \(runColumns), max((
                own.job IS NULL OR coalesce(source_identity, '') = '' OR coalesce(source_scope, '') = ''
                OR (source_identity = own.identity AND source_scope = own.scope)
            ) || replace(coalesce(started_at, created_at), 'T', ' ')) AS moment
            FROM backups LEFT JOIN own ON own.job = job_id
            WHERE \(statusExpression) \(condition) GROUP BY job_id ORDER BY job_id
            """
        let own = query.ownContents.map { [String($0), $1.identity, $1.scope] }
        let text = String(decoding: try JSONEncoder().encode(own), as: UTF8.self)
        return try Row.fetchAll(database, sql: sql, arguments: [text]).map { run(from: LenientRow(row: $0)) }
    }

    private static func ended(_ query: FiguresQuery, _ database: Database) throws -> [CatalogFigures.Run] {
        let over = "\(statusExpression) != 'running'"
        guard let lastID = query.lastID else {
            let sql = "SELECT \(runColumns) FROM backups WHERE \(over) AND replace(completed_at, 'T', ' ') >= ?"
            return try Row.fetchAll(database, sql: sql, arguments: [query.since.sql])
                .map { run(from: LenientRow(row: $0)) }
        }
        var runs = try Row.fetchAll(
            database, sql: "SELECT \(runColumns) FROM backups WHERE id > ? AND \(over)", arguments: [lastID])
        for id in query.pending {
            runs += try Row.fetchAll(
                database, sql: "SELECT \(runColumns) FROM backups WHERE id = ? AND \(over)", arguments: [id])
        }
        return runs.map { run(from: LenientRow(row: $0)) }
    }

    private static func run(from row: LenientRow) -> CatalogFigures.Run {
        CatalogFigures.Run(
            jobID: row.integer("job_id") ?? 0, isCompleted: row.text("known_status") == "completed",
            startedAt: row.timestamp("started_at"), endedAt: row.timestamp("ended_at"),
            seconds: row.real("duration_seconds"), size: row.integer("file_size") ?? 0,
            rows: row.integer("record_count") ?? 0)
    }

    private static func missingCopies(_ store: String, _ database: Database) throws -> Int64 {
        // What Elder sent is told of in the backup's row alone.
        let elders = store == RemoteCopy.primaryStore ? "AND coalesce(s3_key, '') = ''" : ""
        let sql = """
            SELECT count(*) FROM backups WHERE \(statusExpression) = 'completed' \(elders) AND NOT EXISTS (
                SELECT 1 FROM backup_copies c
                WHERE c.backup_id = backups.id AND c.store = ? AND c.state IN ('present', 'deleting'))
            """
        return try Int64.fetchOne(database, sql: sql, arguments: [store]) ?? 0
    }

    private static func failedCopies(_ database: Database) throws -> [CatalogFigures.FailedCopy] {
        try Row.fetchAll(
            database, sql: "SELECT backup_id, store, attempts FROM backup_copies WHERE state = 'failed'"
        ).map { row in
            let row = LenientRow(row: row)
            return CatalogFigures.FailedCopy(
                backupID: row.integer("backup_id") ?? 0, store: row.text("store") ?? "",
                attempts: row.integer("attempts") ?? 0)
        }
    }
}
