internal import BackupCore
internal import BackupEngine
internal import Hummingbird

/// Who did what.
struct AuditRoutes {
    let engine: BackupEngine

    var all: [RouteTable.Route] {
        [
            RouteTable.Route(method: .get, path: BackupRoutes.base + "/audit", role: .admin) { request, _ in
                try await list(request)
            }
        ]
    }

    private struct List: Encodable {
        var entries: [AuditEntry]
        var count: Int
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["before", "limit"])
        let before = try query.number("before", in: 1...Int.max).map(Int64.init)
        let limit = try query.limit() ?? 50
        let entries = try await engine.auditEntries(before: before, limit: limit)
        return try Answer.json(List(entries: entries, count: entries.count))
    }
}
