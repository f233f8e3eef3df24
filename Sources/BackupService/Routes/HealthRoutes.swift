internal import BackupCore
internal import BackupEngine
internal import Hummingbird
internal import Logging

/// Whether the service lives, and whether it can do its work: open to everyone, and silent about why not.
struct HealthRoutes {
    let engine: BackupEngine
    let runs: RunSupervisor

    var all: [RouteTable.Route] {
        [
            RouteTable.Route(method: .get, path: "/health", role: nil) { _, _ in try Answer.json(["status": "ok"]) },
            RouteTable.Route(method: .get, path: "/ready", role: nil) { _, context in try await ready(context) },
        ]
    }

    private func ready(_ context: ServiceContext) async throws -> Response {
        if await runs.isStopping { return try Answer.json(["status": "stopping"], status: .serviceUnavailable) }
        do {
            try await engine.checkReadiness()
            return try Answer.json(["status": "ready"])
        } catch {
            context.logger.error("not ready", metadata: ["error": "\(error)"])
            return try Answer.json(["status": "not ready"], status: .serviceUnavailable)
        }
    }
}
