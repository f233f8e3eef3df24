internal import BackupEngine

extension Operations {
    static let exchange: [String: Operation] = [
        "POST /api/v1/backup/export": Operation(
            id: "export", tag: "exchange", summary: "Write rows of the configured database to a file",
            body: Operation.Body(schema: Schema.named("ExportWish")),
            answers: [longAnswer("The file.", "ExportResult")],
            refusals: [404: "There is no such table or column.", 409: "No database is configured."]),
        "GET /api/v1/backup/export/{filename}/download": exportedFile("downloadExport"),
        "HEAD /api/v1/backup/export/{filename}/download": Operation(
            id: "probeExport", tag: "exchange", summary: "The file's size and ETag",
            answers: [Operation.Answer(status: 200, description: "Headers alone.", mediaType: nil)]),
        "POST /api/v1/backup/import": Operation(
            id: "import", tag: "exchange", summary: "Bring rows of a file into the configured database: all, or none",
            body: Operation.Body(mediaType: ImportForm.mediaType, schema: Schema.named("ImportForm")),
            answers: [longAnswer("What was imported.", "ImportResult")],
            refusals: [409: "The database refuses.", 422: "The file cannot go into this database."]),
    ]

    private static func exportedFile(_ id: String) -> Operation {
        var operation = download(id, "An exported file")
        operation.tag = "exchange"
        operation.answers = [200, 206].map {
            Operation.Answer(
                status: $0, description: $0 == 200 ? "The file." : "The part.", mediaType: "*/*", schema: nil)
        }
        return operation
    }
}

extension ComponentSchemas {
    /// In a form everything is text.
    private static let flag = Schema.choice(["true", "false", "1", "0"])

    static let exchange: [String: JSONLiteral] = [
        "ExportWish": Schema.object(
            [
                "format": Schema.choice(["json", "csv", "xml", "ndjson"]),
                "resource_types": Schema.nullable(
                    Schema.list(of: Schema.text("A table, or Elder's word for its rows: entity.", shortest: 1))),
                "filters": Schema.nullable(
                    Schema.map(
                        of: ["type": ["string", "number", "boolean", "null"]],
                        "By column, or by table and column: a value, a list of them, or {\"gte\":…,\"lt\":…}.")),
            ], required: ["format"]),
        "ExportResult": Schema.object([
            "success": Schema.flag(), "format": Schema.text(), "filename": Schema.text(), "file_path": Schema.text(),
            "file_size": Schema.integer(), "resource_types": Schema.list(of: Schema.text()),
            "record_counts": Schema.map(of: Schema.integer()), "duration_seconds": Schema.number(),
            "warnings": Schema.list(of: Schema.text()),
        ]),
        "ImportForm": Schema.object(
            [
                "file": Schema.text(
                    "A file named .json, .json.gz or .ndjson, as an export or a backup is; the pattern is the least of them.",
                    pattern: #"^\{"version":"1\.2\.0","tables":\{\}\}$"#),
                "dry_run": flag, "clear_existing": flag, "regenerate_ids": flag,
            ], required: ["file"]),
        "ImportResult": Schema.object([
            "dry_run": Schema.flag(), "imported_tables": Schema.integer(), "total_records": Schema.integer(),
            "imported_counts": Schema.map(of: Schema.integer()), "errors": Schema.map(of: Schema.text()),
            "duration_seconds": Schema.number(), "warnings": Schema.list(of: Schema.text()),
        ]),
    ]
}
