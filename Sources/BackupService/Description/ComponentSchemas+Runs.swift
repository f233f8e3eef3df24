extension ComponentSchemas {
    static let runs: [String: JSONLiteral] = [
        "Run": Schema.object([
            "id": Schema.text(),
            "kind": Schema.choice([
                "backup", "verify", "restore", "upload", "upload_missing", "delete", "export", "import",
            ]),
            "state": Schema.choice(["queued", "running", "completed", "failed"]),
            "requested_by": Schema.text("A token's name, the subject of Elder's token, or schedule."),
            "job_id": Schema.nullable(Schema.integer()), "backup_id": Schema.nullable(Schema.integer()),
            "created_at": Schema.moment(), "started_at": Schema.nullable(Schema.moment()),
            "ended_at": Schema.nullable(Schema.moment()), "progress": progress,
            "warnings": Schema.list(of: Schema.text()),
            "result": ["description": "What the request would have been answered with; null before the end."],
            "error": Schema.nullable(Schema.object(["error": Schema.text(), "code": Schema.text()])),
        ]),
        "Runs": Schema.object(["runs": Schema.list(of: Schema.named("Run")), "count": Schema.integer()]),
        "Cancelled": Schema.object(["message": Schema.text(), "runs": Schema.list(of: Schema.text())]),
    ]

    private static let progress: JSONLiteral = Schema.object(
        [
            "step": Schema.text(), "table": Schema.text(), "rows": Schema.integer(),
            "bytes": Schema.integer("Of row text."), "expected_rows": Schema.integer(),
            "transfer": Schema.object([
                "direction": Schema.text(), "store": Schema.text(), "filename": Schema.text(),
                "bytes": Schema.integer(), "total": Schema.integer(),
            ]),
        ], required: ["rows", "bytes"])
}
