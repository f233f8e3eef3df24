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
                return try Answer.json(try await engine.createJob(change, from: .api), status: .created)
            },
            RouteTable.Route(method: .get, path: one, role: .viewer) { _, context in
                try Answer.json(try await engine.job(try reference(context)))
            },
            RouteTable.Route(method: .put, path: one, role: .admin) { request, context in
                let reference = try reference(context)
                let change = try await JobBody.change(request, isNew: false)
                return try Answer.json(try await engine.updateJob(reference, change, from: .api))
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
        var jobs: [BackupJob]
        var count: Int
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["enabled"])
        let jobs = try await engine.jobs(enabled: try query.flag("enabled"))
        return try Answer.json(List(jobs: jobs, count: jobs.count))
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
