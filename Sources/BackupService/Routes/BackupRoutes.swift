internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
internal import Hummingbird

/// Backups, as Elder's clients know them, and what else can be done with them.
struct BackupRoutes {
    let engine: BackupEngine
    let runs: RunSupervisor
    let shelf: ArchiveShelf
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
            RouteTable.Route(
                method: .post, path: BackupRoutes.base + "/upload-missing", role: .operator
            ) { request, context in
                let wish = Run.Request(kind: .uploadMissing, name: context.name)
                return try await RunAnswer(engine: engine, runs: runs).answer(request, wish) {
                    try await $0.uploadMissing()
                }
            },
            RouteTable.Route(method: .get, path: one, role: .viewer) { _, context in
                try Answer.json(try await engine.record(try context.id("backup")))
            },
            RouteTable.Route(method: .delete, path: one, role: .admin) { _, context in
                let reference = try reference(context)
                let wish = Run.Request(
                    kind: .delete, name: context.name, backupID: try context.id("backup"), isLong: false)
                let record = try await runs.run(wish) { try await $0.delete(reference) }
                return try Answer.json(["message": "backup \(record.id) was deleted"])
            },
            RouteTable.Route(method: .get, path: one + "/download", role: .operator) { request, context in
                try await download(try context.id("backup"), request)
            },
            RouteTable.Route(method: .post, path: one + "/restore", role: .admin) { request, context in
                try await restore(request, context)
            },
            RouteTable.Route(method: .post, path: one + "/verify", role: .operator) { request, context in
                let reference = try reference(context)
                let wish = Run.Request(kind: .verify, name: context.name, backupID: try context.id("backup"))
                return try await RunAnswer(engine: engine, runs: runs).answer(request, wish) {
                    try await $0.verify([reference])
                }
            },
            RouteTable.Route(method: .post, path: one + "/upload", role: .operator) { request, context in
                let reference = try reference(context)
                let wish = Run.Request(kind: .upload, name: context.name, backupID: try context.id("backup"))
                return try await RunAnswer(engine: engine, runs: runs).answer(request, wish) {
                    try await $0.upload(reference)
                }
            },
        ]
    }

    private func reference(_ context: ServiceContext) throws -> BackupReference {
        BackupReference("\(try context.id("backup"))")
    }

    private struct List: Encodable {
        var backups: [BackupRecord]
        var count: Int
        /// Nil where there are no more.
        var nextCursor: String?

        private enum CodingKeys: String, CodingKey {
            case backups, count
            case nextCursor = "next_cursor"
        }
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try BackupListQuery(request)
        let page: BackupPage
        do {
            page = try await engine.list(query.query, job: query.job)
        } catch let error as BackupError where error.code == .notFound {
            // Of a job that is not there no backups are listed.
            page = BackupPage(records: [], next: nil)
        }
        var response = try Answer.json(
            List(backups: page.records, count: page.records.count, nextCursor: page.next?.text))
        if let next = page.next, let name = HTTPField.Name("Link") { response.headers[name] = query.link(next) }
        return response
    }

    private func download(_ id: Int64, _ request: Request) async throws -> Response {
        let facts = try await engine.archiveFacts(id)
        return try await FileDownload(facts: facts) { try await shelf.open(id) }.response(to: request)
    }

    private func restore(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let reference = try reference(context)
        var fields = try await RequestFields(request, known: ["dry_run", "restore_options"], isOptional: true)
        let isDry = fields.flag("dry_run") ?? false
        var options = fields.fields("restore_options", known: ["tables", "clear_existing", "regenerate_ids"])
        let tables = options?.texts("tables")
        if tables?.contains("") == true { options?.blame("tables", "must hold no empty name") }
        if tables?.isEmpty == true { options?.blame("tables", "must name a table; leave it out for all") }
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
        let run = Run.Request(kind: .restore, name: context.name, backupID: try context.id("backup"))
        return try await RunAnswer(engine: engine, runs: runs).answer(request, run) { try await $0.restore(wish) }
    }
}
