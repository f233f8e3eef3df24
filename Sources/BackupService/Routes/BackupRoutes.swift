internal import BackupCore
internal import BackupEngine
internal import Hummingbird

/// Backups, as Elder's clients know them, and what else can be done with them.
struct BackupRoutes {
    let engine: BackupEngine
    let runs: RunSupervisor
    static let base = "/api/v1/backup"

    var all: [RouteTable.Route] {
        let one = BackupRoutes.base + "/{id}"
        return [
            RouteTable.Route(method: .get, path: BackupRoutes.base, role: .viewer) { request, _ in
                try await list(request)
            },
            RouteTable.Route(method: .get, path: BackupRoutes.base + "/stats", role: .viewer) { _, _ in
                try Answer.json(try await engine.stats())
            },
            RouteTable.Route(method: .post, path: BackupRoutes.base + "/upload-missing", role: .operator) { _, _ in
                let engine = engine
                return try Answer.json(try await runs.run { try await engine.uploadMissing() }, status: .accepted)
            },
            RouteTable.Route(method: .get, path: one, role: .viewer) { _, context in
                try Answer.json(try await engine.record(try context.id("backup")))
            },
            RouteTable.Route(method: .delete, path: one, role: .admin) { _, context in
                let reference = try reference(context)
                let engine = engine
                let record = try await runs.run { try await engine.delete(reference) }
                return try Answer.json(["message": "backup \(record.id) was deleted"])
            },
            RouteTable.Route(method: .get, path: one + "/download", role: .operator) { request, context in
                try await download(try reference(context), request)
            },
            RouteTable.Route(method: .head, path: one + "/download", role: .operator) { request, context in
                try await download(try reference(context), request)
            },
            RouteTable.Route(method: .post, path: one + "/restore", role: .admin) { request, context in
                try await restore(try reference(context), request)
            },
            RouteTable.Route(method: .post, path: one + "/verify", role: .operator) { _, context in
                let reference = try reference(context)
                let engine = engine
                return try Answer.json(try await runs.run { try await engine.verify([reference]) }, status: .accepted)
            },
            RouteTable.Route(method: .post, path: one + "/upload", role: .operator) { _, context in
                let reference = try reference(context)
                let engine = engine
                return try Answer.json(try await runs.run { try await engine.upload(reference) }, status: .accepted)
            },
        ]
    }

    private func reference(_ context: ServiceContext) throws -> BackupReference {
        BackupReference("\(try context.id("backup"))")
    }

    private struct List: Encodable {
        var backups: [BackupRecord]
        var count: Int
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["job_id", "limit"])
        let limit = try query.number("limit", in: 1...1_000) ?? 50
        let job = try query.number("job_id", in: 1...Int.max).map { JobReference("\($0)") }
        let backups: [BackupRecord]
        do {
            backups = try await engine.list(job: job, limit: limit)
        } catch let error as BackupError where error.code == .notFound {
            // Of a job that is not there no backups are listed.
            backups = []
        }
        return try Answer.json(List(backups: backups, count: backups.count))
    }

    private func download(_ reference: BackupReference, _ request: Request) async throws -> Response {
        let archive = try await engine.openArchive(reference)
        return FileDownload(file: archive).response(to: request)
    }

    private func restore(_ reference: BackupReference, _ request: Request) async throws -> Response {
        var fields = try await RequestFields(request, known: ["dry_run", "restore_options"], isOptional: true)
        let isDry = fields.flag("dry_run") ?? false
        var options = fields.fields("restore_options", known: ["tables", "clear_existing", "regenerate_ids"])
        let tables = options?.texts("tables")
        let clears = options?.flag("clear_existing") ?? false
        let regenerates = options?.flag("regenerate_ids") ?? false
        try fields.check(options)
        // The API restores into the configured database alone: no client chooses what is written to.
        guard let target = engine.configuration.source else {
            throw BackupError(.configuration, "DATABASE_URL names no database to restore into; set it for the service")
        }
        var restore = RestoreRequest(backup: reference, target: target)
        restore.dryRun = isDry
        restore.tables = tables
        restore.clearExisting = clears
        restore.regenerateIDs = regenerates
        let wish = restore
        let engine = engine
        return try Answer.json(try await runs.run { try await engine.restore(wish) }, status: .accepted)
    }
}
