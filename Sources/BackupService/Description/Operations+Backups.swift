internal import BackupCore

extension Operations {
    static let limit = Operation.Parameter(
        name: "limit", schema: Schema.integer(from: 1),
        description: "At most so many, and never more than \(Query.longestPage); 50 without it.")
    static let cursor = Operation.Parameter(
        name: "cursor", schema: Schema.text(pattern: BackupCursor.pattern),
        description: "The next_cursor of the answer before: goes on behind it.")

    static let backups: [String: Operation] = [
        "GET /api/v1/backup": Operation(
            id: "listBackups", tag: "backups", summary: "Backups, newest first",
            query: [
                Operation.Parameter(
                    name: "job_id", schema: Schema.integer(from: 1), description: "Only those of this job."),
                Operation.Parameter(
                    name: "status", schema: Schema.choice(BackupRecord.Status.allCases.map(\.rawValue)),
                    description: "Only those."),
                Operation.Parameter(name: "since", schema: Schema.moment(), description: "Begun then or later."),
                Operation.Parameter(name: "until", schema: Schema.moment(), description: "Begun before."),
                limit, cursor,
            ],
            answers: [Operation.json(200, "The backups.", Schema.named("Backups"))]),
        "GET /api/v1/backup/stats": Operation(
            id: "statistics", tag: "backups", summary: "Figures over all backups",
            answers: [Operation.json(200, "The figures.", Schema.named("Statistics"))]),
        "GET /api/v1/backup/{id}": Operation(
            id: "showBackup", tag: "backups", summary: "One backup",
            answers: [Operation.json(200, "The backup.", Schema.named("Backup"))]),
        "DELETE /api/v1/backup/{id}": Operation(
            id: "deleteBackup", tag: "backups", summary: "Delete a backup with all its copies",
            answers: [Operation.json(200, "It is gone.", Schema.named("Message"))],
            refusals: [409: "It must stay, or is in use."]),
        "GET /api/v1/backup/{id}/download": download("downloadBackup", "The archive"),
        "HEAD /api/v1/backup/{id}/download": Operation(
            id: "probeBackup", tag: "backups", summary: "The archive's size and ETag",
            answers: [Operation.Answer(status: 200, description: "Headers alone.", mediaType: nil)]),
        "POST /api/v1/backup/{id}/restore": Operation(
            id: "restoreBackup", tag: "backups", summary: "Restore into the configured database",
            body: Operation.Body(schema: Schema.named("RestoreWish"), isRequired: false),
            answers: [longAnswer("What was restored.", "RestoreResult")],
            refusals: [409: "The target refuses, or a run goes on.", 422: "The archive cannot go into this database."]),
        "POST /api/v1/backup/{id}/verify": Operation(
            id: "verifyBackup", tag: "backups", summary: "Read all of a backup and check it",

            answers: [longAnswer("What was found.", "VerifyResult")]),
        "POST /api/v1/backup/{id}/upload": Operation(
            id: "uploadBackup", tag: "backups", summary: "Copy a backup to the stores",

            answers: [longAnswer("The copies.", "Copies")],
            refusals: [409: "It is in use."]),
        "POST /api/v1/backup/upload-missing": Operation(
            id: "uploadMissing", tag: "backups", summary: "Make all copies that should be there",

            answers: [longAnswer("The copies.", "Copies")]),
    ]

    static func download(_ id: String, _ what: String) -> Operation {
        Operation(
            id: id, tag: "backups", summary: what + "; takes Range, If-Range and If-None-Match (RFC 9110)",
            answers: [
                Operation.Answer(
                    status: 200, description: "The file.", mediaType: "application/gzip",
                    schema: Schema.text(format: "binary")),
                Operation.Answer(
                    status: 206, description: "The part.", mediaType: "application/gzip",
                    schema: Schema.text(format: "binary")),
            ], refusals: [416: "The range lies beyond the end."])
    }
}
