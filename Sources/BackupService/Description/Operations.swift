/// What is said of each route, by its method and path.
enum Operations {
    static let all: [String: Operation] = service.merging(jobs) { first, _ in first }
        .merging(backups) { first, _ in first }.merging(runs) { first, _ in first }
        .merging(exchange) { first, _ in first }

    private static let service: [String: Operation] = [
        "GET /health": Operation(
            id: "health", tag: "service", summary: "Whether the service lives",
            answers: [Operation.json(200, "It does.", Schema.object(["status": Schema.text()]))]),
        "GET /openapi.json": Operation(
            id: "describe", tag: "service", summary: "This description",
            answers: [Operation.json(200, "OpenAPI 3.1.", ["type": "object"])]),
    ]
}
