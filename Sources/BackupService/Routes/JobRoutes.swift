internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
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
                let change = try await JobBody.change(
                    request, of: nil, standardDays: engine.configuration.retentionDays)
                return try Answer.json(try await engine.createJob(change, from: .api), status: .created)
            },
            RouteTable.Route(method: .get, path: one, role: .viewer) { _, context in
                try Answer.json(try await engine.job(try reference(context)))
            },
            RouteTable.Route(method: .put, path: one, role: .admin) { request, context in
                let reference = try reference(context)
                let change = try await JobBody.change(
                    request, of: try await engine.job(reference), standardDays: engine.configuration.retentionDays)
                return try Answer.json(try await engine.updateJob(reference, change, from: .api))
            },
            RouteTable.Route(method: .delete, path: one, role: .admin) { request, context in
                try await delete(request, context)
            },
            RouteTable.Route(method: .post, path: one + "/run", role: .operator) { request, context in
                try await run(request, context)
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
        /// Nil where there are no more.
        var nextCursor: String?

        private enum CodingKeys: String, CodingKey {
            case jobs, count
            case nextCursor = "next_cursor"
        }
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["enabled", "limit", "cursor"])
        let after = try query.parsed("cursor", "must be the next_cursor of an earlier answer") { text in
            BackupCursor(text).flatMap { $0.key == Self.cursorKey ? $0.id : nil }
        }
        let page = try await engine.jobs(
            enabled: try query.flag("enabled"), after: after, limit: try query.limit())
        let next = page.next.map { BackupCursor(key: Self.cursorKey, id: $0).text }
        var response = try Answer.json(List(jobs: page.jobs, count: page.jobs.count, nextCursor: next))
        if let next, let name = HTTPField.Name("Link") { response.headers[name] = query.link(next) }
        return response
    }

    /// Tells a place in this list from one in that of backups.
    private static let cursorKey = "jobs"

    private struct Deleted: Encodable {
        var message: String
        var deletedBackups: Int

        private enum CodingKeys: String, CodingKey {
            case message
            case deletedBackups = "deleted_backups"
        }
    }

    private func delete(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let reference = try reference(context)
        let query = try Query(request, known: ["backups"])
        let backups =
            try query.parsed("backups", "must be keep or delete") { JobRemoval.Backups(rawValue: $0) } ?? .keep
        let id = try context.id("job")
        let wish = Run.Request(kind: .delete, name: context.name, jobID: id, isLong: false)
        let removal = try await runs.run(wish) { engine in
            let removal = try await engine.deleteJob(reference, backups: backups)
            let rest = backups == .keep ? "its backups stay" : "with \(removal.deletedBackups) backups"
            return Deleted(message: "job \(id) was deleted; \(rest)", deletedBackups: removal.deletedBackups)
        }
        return try Answer.json(removal)
    }

    private func run(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let reference = try reference(context)
        // Before it waits for its turn.
        let job = try await engine.job(reference)
        let wish = Run.Request(kind: .backup, name: context.name, jobID: job.id)
        return try await RunAnswer(engine: engine, runs: runs).answer(request, wish) { engine in
            var request = BackupRequest()
            request.job = reference
            return try await engine.backup(request)
        }
    }
}
