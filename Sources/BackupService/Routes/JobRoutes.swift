internal import BackupCore
internal import BackupEngine
internal import Hummingbird

/// Jobs, as Elder's clients know them.
struct JobRoutes {
    let engine: BackupEngine
    let runs: RunSupervisor
    static let base = "/api/v1/backup/jobs"

    var all: [RouteTable.Route] {
        let one = JobRoutes.base + "/{id}"
        return [
            RouteTable.Route(method: .get, path: JobRoutes.base, role: .viewer) { request, _ in try await list(request)
            },
            RouteTable.Route(method: .post, path: JobRoutes.base, role: .admin) { request, _ in
                let change = try await JobBody.change(request, isNew: true)
                return try Answer.json(JobAnswer(try await engine.createJob(change)), status: .created)
            },
            RouteTable.Route(method: .get, path: one, role: .viewer) { _, context in
                try Answer.json(JobAnswer(try await engine.job(try reference(context))))
            },
            RouteTable.Route(method: .put, path: one, role: .admin) { request, context in
                let reference = try reference(context)
                let change = try await JobBody.change(request, isNew: false)
                return try Answer.json(JobAnswer(try await engine.updateJob(reference, change)))
            },
            RouteTable.Route(method: .delete, path: one, role: .admin) { _, context in
                let job = try await engine.deleteJob(try reference(context))
                return try Answer.json(["message": "job \(job.id) was deleted; its backups stay"])
            },
            RouteTable.Route(method: .post, path: one + "/run", role: .operator) { _, context in
                try await run(try reference(context))
            },
            RouteTable.Route(method: .get, path: one + "/retention", role: .viewer) { _, context in
                try Answer.json(try await engine.prune(job: try reference(context), dryRun: true))
            },
        ]
    }

    /// By number: a name that is a number must not be taken for another job's id.
    private func reference(_ context: ServiceContext) throws -> JobReference {
        JobReference("\(try context.id("job"))")
    }

    private struct List: Encodable {
        var jobs: [JobAnswer]
        var count: Int
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["enabled"])
        let jobs = try await engine.jobs(enabled: try query.flag("enabled"))
        return try Answer.json(List(jobs: jobs.map(JobAnswer.init), count: jobs.count))
    }

    private func run(_ reference: JobReference) async throws -> Response {
        let engine = engine
        let response = try await runs.run {
            var request = BackupRequest()
            request.job = reference
            return try await engine.backup(request)
        }
        return try Answer.json(response, status: .accepted)
    }
}

/// A job as Elder's clients expect it: every field is there, the missing ones as null.
struct JobAnswer: Encodable {
    private let job: BackupJob

    init(_ job: BackupJob) { self.job = job }

    private enum CodingKeys: String, CodingKey {
        case id, uuid, name, schedule, enabled, description, source, retention
        case timeZone = "time_zone"
        case retentionDays = "retention_days"
        case includeTables = "include_tables"
        case excludeTables = "exclude_tables"
        case lastRunAt = "last_run_at"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(job.id, forKey: .id)
        try values.encode(job.uuid, forKey: .uuid)
        try values.encode(job.name, forKey: .name)
        try values.encode(job.schedule, forKey: .schedule)
        try values.encode(job.timeZone, forKey: .timeZone)
        try values.encode(job.retention.days, forKey: .retentionDays)
        try values.encode(job.retention, forKey: .retention)
        try values.encode(job.enabled, forKey: .enabled)
        try values.encode(job.description, forKey: .description)
        try values.encode(job.source, forKey: .source)
        try values.encode(job.includeTables, forKey: .includeTables)
        try values.encode(job.excludeTables, forKey: .excludeTables)
        try values.encode(job.lastRunAt, forKey: .lastRunAt)
        try values.encode(job.createdAt, forKey: .createdAt)
        try values.encode(job.updatedAt, forKey: .updatedAt)
    }
}
