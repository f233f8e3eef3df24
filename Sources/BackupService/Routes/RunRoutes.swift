internal import BackupCore
internal import BackupEngine
internal import Hummingbird

/// What goes on: runs of the service, their events, and their end before their time.
struct RunRoutes {
    let engine: BackupEngine
    let runs: RunSupervisor
    static let base = BackupRoutes.base + "/runs"

    static func path(_ id: String) -> String { "\(base)/\(id)" }

    var all: [RouteTable.Route] {
        let one = RunRoutes.base + "/{id}"
        let backup = BackupRoutes.base + "/{id}"
        return [
            RouteTable.Route(method: .get, path: RunRoutes.base, role: .viewer) { _, _ in
                try Answer.json(List(await runs.all))
            },
            RouteTable.Route(method: .get, path: one, role: .viewer) { _, context in
                try Answer.json(try await run(context).log.description)
            },
            RouteTable.Route(method: .get, path: one + "/events", role: .viewer) { _, context in
                let log = try await run(context).log
                return EventStream.follow(log) { log.description }
            },
            RouteTable.Route(method: .post, path: one + "/cancel", role: .operator) { _, context in
                let run = try await run(context)
                try await cancel([run], context)
                return try Answer.json(run.log.description, status: .accepted)
            },
            RouteTable.Route(method: .get, path: backup + "/events", role: .viewer) { _, context in
                try await events(try context.id("backup"))
            },
            RouteTable.Route(method: .post, path: backup + "/cancel", role: .operator) { _, context in
                try await cancel(try context.id("backup"), context)
            },
        ]
    }

    private struct List: Encodable {
        var runs: [RunDescription]
        var count: Int

        init(_ runs: [RunDescription]) {
            self.runs = runs
            count = runs.count
        }
    }

    private func run(_ context: ServiceContext) async throws -> Run {
        let id = context.parameters.get("id") ?? ""
        guard let run = await runs.run(id) else {
            throw BackupError(
                .notFound,
                "there is no run \"\(id.prefix(40))\": runs are remembered for a day, and not beyond a restart")
        }
        return run
    }

    private func events(_ id: Int64) async throws -> Response {
        let engine = engine
        let runs = runs
        if let run = await runs.active(backup: id).first(where: { $0.request.kind == .backup }) {
            return EventStream.follow(run.log) { try await engine.record(id) }
        }
        // Whether there is such a backup is to be told by the status.
        _ = try await engine.record(id)
        return EventStream.watch(isStopping: { await runs.isStopping }) { try await engine.record(id) }
    }

    private struct Cancelled: Encodable {
        var message: String
        var runs: [String]
    }

    private func cancel(_ id: Int64, _ context: ServiceContext) async throws -> Response {
        let active = await runs.active(backup: id)
        guard !active.isEmpty else { throw try await engine.refusalToCancel(id) }
        try await cancel(active, context)
        return try Answer.json(
            Cancelled(message: "what goes on for backup \(id) is being cancelled", runs: active.map(\.id)),
            status: .accepted)
    }

    private func cancel(_ chosen: [Run], _ context: ServiceContext) async throws {
        if let role = chosen.map(\.request.kind.role).max() { try context.require(role) }
        for run in chosen {
            try await engine.audited("run.cancel", "run \(run.id)", detail: run.request.kind.rawValue) {
                try await runs.cancel(run, by: context.name)
            }
        }
    }
}
