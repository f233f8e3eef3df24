/// The shapes of what the API answers, by name.
enum ComponentSchemas {
    static let all: [String: JSONLiteral] = jobs.merging(backups) { first, _ in first }
        .merging(runs) { first, _ in first }.merging(exchange) { first, _ in first }
        .merging(service) { first, _ in first }

    private static let service: [String: JSONLiteral] = [
        "Error": Schema.object(
            [
                "error": Schema.text("What failed, on what, why, and what to do next."),
                "code": Schema.text("Of a fixed list, for programs."),
                "fields": Schema.map(of: Schema.text(), "What is wrong, by field."),
            ], required: ["error", "code"]),
        "Audit": Schema.object(["entries": Schema.list(of: Schema.named("AuditEntry")), "count": Schema.integer()]),
        "AuditEntry": Schema.object(
            [
                "id": Schema.integer(), "at": Schema.moment(), "actor": Schema.text(), "role": Schema.text(),
                "action": Schema.text("Such as job.update."), "subject": Schema.text("Such as job 3."),
                "outcome": Schema.text("begun, done, failed, cancelled or refused."), "detail": Schema.text(),
                "request_id": Schema.text(), "address": Schema.text(),
            ], required: ["id", "at", "actor", "action", "outcome"]),
        "Message": Schema.object(["message": Schema.text()]),
    ]
}
