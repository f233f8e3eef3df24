internal import HTTPTypes

/// What is said of each route, by its method and path.
enum Operations {
    static let all: [String: Operation] = service.merging(jobs) { first, _ in first }
        .merging(backups) { first, _ in first }.merging(runs) { first, _ in first }
        .merging(exchange) { first, _ in first }

    /// What is said of a route, if anything: of HEAD what is said of GET, but for the bodies.
    static func of(_ route: RouteTable.Route) -> Operation? {
        if let operation = all["\(route.method.rawValue) \(route.path)"] { return operation }
        guard route.method == .head, var operation = all["GET \(route.path)"] else { return nil }
        operation.id = "head" + operation.id.prefix(1).uppercased() + operation.id.dropFirst()
        operation.summary += ": the headers alone"
        for index in operation.answers.indices {
            operation.answers[index].mediaType = nil
            operation.answers[index].schema = nil
        }
        return operation
    }

    /// Whether a route's answer is a stream of events.
    static func isStream(_ route: RouteTable.Route) -> Bool {
        of(route)?.answers.contains { $0.mediaType == "text/event-stream" } ?? false
    }

    private static let readiness = Schema.object(
        ["status": Schema.text(), "checks": Schema.map(of: Schema.text())], required: ["status"])

    private static let service: [String: Operation] = [
        "GET /health": Operation(
            id: "health", tag: "service", summary: "Whether the service lives",
            answers: [Operation.json(200, "It does.", Schema.object(["status": Schema.text()]))]),
        "GET /ready": Operation(
            id: "ready", tag: "service", summary: "Whether the service can do its work",
            answers: [
                Operation.json(200, "It can.", readiness), Operation.json(503, "It cannot, or is stopping.", readiness),
            ]),
        "GET /metrics": Operation(
            id: "metrics", tag: "service", summary: "Metrics, as Prometheus scrapes them",
            answers: [
                Operation.Answer(
                    status: 200, description: "Text format 0.0.4.", mediaType: "text/plain", schema: Schema.text())
            ]),
        "GET /api/v1/backup/audit": Operation(
            id: "audit", tag: "service", summary: "Who did what, newest first",
            query: [
                Operation.Parameter(
                    name: "before", schema: Schema.integer(from: 1), description: "Only entries of smaller numbers."),
                limit,
            ],
            answers: [Operation.json(200, "Entries of the audit log.", Schema.named("Audit"))]),
        "GET /openapi.json": Operation(
            id: "describe", tag: "service", summary: "This description",
            answers: [Operation.json(200, "OpenAPI 3.1.", ["type": "object"])]),
    ]
}
