internal import BackupCore
internal import BackupEngine
internal import Hummingbird

/// Exports and imports, as Elder's clients know them.
struct ExchangeRoutes {
    let engine: BackupEngine
    let runs: RunSupervisor
    let settings: ServiceSettings
    /// Those that are received, wait for their turn or go on: each has a file on the disk.
    private let imports: Places

    init(engine: BackupEngine, runs: RunSupervisor, settings: ServiceSettings) {
        self.engine = engine
        self.runs = runs
        self.settings = settings
        imports = Places(limit: settings.mostImports)
    }

    var all: [RouteTable.Route] {
        let export = BackupRoutes.base + "/export"
        let file = export + "/{filename}/download"
        return [
            RouteTable.Route(method: .post, path: export, role: .operator) { request, context in
                try await write(request, context)
            },
            RouteTable.Route(method: .get, path: file, role: .operator) { request, context in
                try await download(request, context)
            },
            RouteTable.Route(method: .post, path: BackupRoutes.base + "/import", role: .admin) { request, context in
                try await read(request, context)
            },
        ]
    }

    private func write(_ request: Request, _ context: ServiceContext) async throws -> Response {
        var fields = try await RequestFields(request, known: ["format", "resource_types", "filters"])
        let name = fields.text("format")
        let format = name.flatMap { ExportFormat(rawValue: $0) }
        if format == nil {
            let names = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
            fields.blame("format", name == nil ? "is required: one of \(names)" : "must be one of \(names)")
        }
        let types = fields.texts("resource_types")
        try fields.check()
        guard let format else { return Response(status: .badRequest) }
        var wish = ExportRequest(format: format)
        wish.resourceTypes = types ?? []
        wish.filters = fields.json("filters")
        // The API exports the configured database alone: no client chooses what is read.
        guard engine.configuration.source != nil else {
            throw BackupError(.configuration, "DATABASE_URL names no database to export; set it for the service")
        }
        let export = wish
        return try await located {
            let wish = Run.Request(kind: .export, name: context.name)
            return try await RunAnswer(engine: engine, runs: runs).answer(request, wish) { engine in
                try await engine.export(export)
            }
        }
    }

    private func download(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let name = context.parameters.get("filename") ?? ""
        return try await FileDownload { try await engine.openExport(name) }.response(to: request)
    }

    private func read(_ request: Request, _ context: ServiceContext) async throws -> Response {
        // The API imports into the configured database alone: no client chooses what is written to.
        guard let target = engine.configuration.source else {
            throw BackupError(.configuration, "DATABASE_URL names no database to import into; set it for the service")
        }
        // Before the file is: nobody is to send gigabytes in order to hear that there is no place.
        let turn = try await runs.reserve()
        guard let place = imports.take() else {
            throw Refusal.busy(
                "\(imports.limit) imports are received or wait already, and no more may; ask again later")
        }
        let form = try await ImportForm.receive(request, engine: engine, limit: settings.largestImport)
        var wish = ImportRequest(path: form.upload.path, form: form.kind, target: target)
        wish.name = form.name
        wish.dryRun = form.isDry
        wish.clearExisting = form.clearsExisting
        wish.regenerateIDs = form.regeneratesIDs
        let task = wish
        return try await located {
            let wish = Run.Request(kind: .import, name: context.name, turn: turn)
            return try await RunAnswer(engine: engine, runs: runs).answer(request, wish) { engine in
                // The file goes when the import is over, not when the client is gone.
                let response = try await engine.importFile(task)
                return withExtendedLifetime((form.upload, place)) { response }
            }
        }
    }

    private static let fields: Set<String> = ["format", "resource_types", "filters", "file"]

    /// Tells which field is at fault, where the engine names one.
    private func located(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let error as BackupError where [.usage, .notFound].contains(error.code) {
            guard let field = error.location.first, ExchangeRoutes.fields.contains(field) else { throw error }
            var fault = error
            fault.location.removeFirst()
            var refusal = Refusal(error)
            refusal.fields = [field: "\(fault)"]
            throw refusal
        }
    }
}
