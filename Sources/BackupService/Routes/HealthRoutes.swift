internal import BackupCore
internal import BackupEngine
internal import Hummingbird

/// Whether the service lives, and whether it can do its work: open to everyone, and silent about why not.
struct HealthRoutes {
    let probe: ReadinessProbe
    let runs: RunSupervisor

    var all: [RouteTable.Route] {
        [
            RouteTable.Route(method: .get, path: "/health", role: nil) { _, _ in try Answer.json(["status": "ok"]) },
            RouteTable.Route(method: .get, path: "/ready", role: nil) { _, _ in try await ready() },
        ]
    }

    private struct Readiness: Encodable {
        var status: String
        var checks: ReadinessReport
    }

    private func ready() async throws -> Response {
        if await runs.isStopping { return try Answer.json(["status": "stopping"], status: .serviceUnavailable) }
        let report = await probe.report()
        return try Answer.json(
            Readiness(status: report.isReady ? "ready" : "not ready", checks: report),
            status: report.isReady ? .ok : .serviceUnavailable)
    }
}
