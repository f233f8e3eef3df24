package import BackupCore
internal import GRDB

extension SQLiteCatalog {
    package func recordAudit(_ entry: AuditEntry) throws {
        try write { database in
            let values: [String: DatabaseValue] = [
                "at": entry.at.sql.databaseValue, "actor": entry.actor.databaseValue, "role": entry.role.databaseValue,
                "action": entry.action.databaseValue, "subject": entry.subject.databaseValue,
                "outcome": entry.outcome.databaseValue, "detail": entry.detail.databaseValue,
                "request_id": entry.requestID.databaseValue, "address": entry.address.databaseValue,
            ]
            try SQLiteCatalog.insert(values, into: "audit_log", database)
        }
    }

    package func auditEntries(before id: Int64?, limit: Int) throws -> [AuditEntry] {
        // SQLite takes a negative limit for none.
        let arguments: StatementArguments = [id ?? Int64.max, max(limit, 0)]
        let rows = try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT id, at, actor, role, action, subject, outcome, detail, request_id, address FROM audit_log "
                    + "WHERE id < ? ORDER BY id DESC LIMIT ?",
                arguments: arguments)
        }
        return rows.map { row in
            let row = LenientRow(row: row)
            return AuditEntry(
                id: row.integer("id") ?? 0, at: row.timestamp("at") ?? Timestamp(microseconds: 0),
                actor: row.text("actor") ?? "", role: row.text("role"), action: row.text("action") ?? "",
                subject: row.text("subject"), outcome: row.text("outcome") ?? "", detail: row.text("detail"),
                requestID: row.text("request_id"), address: row.text("address"))
        }
    }
}
