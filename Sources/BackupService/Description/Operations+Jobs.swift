extension Operations {
    static let jobs: [String: Operation] = [
        "GET /api/v1/backup/jobs": Operation(
            id: "listJobs", tag: "jobs", summary: "All jobs",
            query: [
                Operation.Parameter(
                    name: "enabled", schema: Schema.flag(), description: "Only those that are, or are not."),
                limit,
                Operation.Parameter(
                    name: "cursor", schema: Schema.text(pattern: "^[1-9][0-9]{0,17}-6a6f6273$"),
                    description: cursor.description),
            ],
            answers: [Operation.json(200, "The jobs.", Schema.named("Jobs"))]),
        "POST /api/v1/backup/jobs": Operation(
            id: "createJob", tag: "jobs", summary: "Make a job",
            body: Operation.Body(schema: Schema.named("NewJob")),
            answers: [Operation.json(201, "The job.", Schema.named("Job"))],
            refusals: [409: "Another job has the name."]),
        "GET /api/v1/backup/jobs/{id}": Operation(
            id: "showJob", tag: "jobs", summary: "One job",
            answers: [Operation.json(200, "The job.", Schema.named("Job"))]),
        "PUT /api/v1/backup/jobs/{id}": Operation(
            id: "changeJob", tag: "jobs", summary: "Change a job: what the body leaves out stays, null takes away",
            body: Operation.Body(schema: Schema.named("JobChange")),
            answers: [Operation.json(200, "The job as it is now.", Schema.named("Job"))],
            refusals: [409: "Another job has the name."]),
        "DELETE /api/v1/backup/jobs/{id}": Operation(
            id: "deleteJob", tag: "jobs", summary: "Delete a job",
            query: [
                Operation.Parameter(
                    name: "backups", schema: Schema.choice(["keep", "delete"]),
                    description: "What becomes of its backups; keep without it.")
            ],
            answers: [Operation.json(200, "It is gone.", Schema.named("JobDeletion"))],
            refusals: [409: "A run of the job goes on."]),
        "POST /api/v1/backup/jobs/{id}/run": Operation(
            id: "runJob", tag: "jobs", summary: "Back up now",
            answers: [longAnswer("The backup that was made.", "RunResult")],
            refusals: [409: "Another run of the job goes on."]),
        "GET /api/v1/backup/jobs/{id}/retention": Operation(
            id: "planRetention", tag: "jobs", summary: "What retention would do now, and why",
            answers: [Operation.json(200, "Each backup of the job.", Schema.named("RetentionPlan"))]),
    ]
}
