extension Operations {
    static let runs: [String: Operation] = [
        "GET /api/v1/backup/runs": Operation(
            id: "listRuns", tag: "runs", summary: "Runs that wait, go on, or ended within a day",
            answers: [Operation.json(200, "The runs.", Schema.named("Runs"))]),
        "GET /api/v1/backup/runs/{id}": Operation(
            id: "showRun", tag: "runs", summary: "One run",
            answers: [Operation.json(200, "The run.", Schema.named("Run"))]),
        "GET /api/v1/backup/runs/{id}/events": events("followRun", "A run as it goes on"),
        "POST /api/v1/backup/runs/{id}/cancel": Operation(
            id: "cancelRun", tag: "runs", summary: "End a run before its time",
            answers: [Operation.json(202, "It is being cancelled.", Schema.named("Run"))],
            refusals: [409: "It is over."]),
        "GET /api/v1/backup/{id}/events": events("followBackup", "A backup as it is made"),
        "POST /api/v1/backup/{id}/cancel": Operation(
            id: "cancelBackup", tag: "runs", summary: "End what goes on for a backup",
            answers: [Operation.json(202, "It is being cancelled.", Schema.named("Cancelled"))],
            refusals: [409: "Nothing goes on for it, or in another process."]),
    ]

    private static func events(_ id: String, _ summary: String) -> Operation {
        Operation(
            id: id, tag: "runs", summary: summary,
            answers: [
                Operation.Answer(
                    status: 200,
                    description: "Server-sent events: progress, warnings, and the end; at once where it is over.",
                    mediaType: "text/event-stream", schema: nil)
            ])
    }

    /// What a request that takes long is answered with.
    static func longAnswer(_ description: String, _ schema: String) -> Operation.Answer {
        Operation.json(
            202, description + " With Prefer: respond-async (RFC 7240) the run, at once, and its Location.",
            ["anyOf": [Schema.named(schema), Schema.named("Run")]])
    }
}
