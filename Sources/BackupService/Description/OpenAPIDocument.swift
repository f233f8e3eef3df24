internal import BackupCore
internal import BackupEngine
internal import HTTPTypes

/// The description of the API (https://spec.openapis.org/oas/v3.1.1.html), made from the routes that there are.
struct OpenAPIDocument {
    let routes: [RouteTable.Route]

    /// What is said of a route; one of which nothing is said has no summary.
    private static func operation(_ route: RouteTable.Route) -> Operation {
        Operations.of(route)
            ?? Operation(
                id: "\(route.method.rawValue) \(route.path)", tag: "service", summary: "", answers: [])
    }

    var document: JSONLiteral {
        var paths: [String: [String: JSONLiteral]] = [:]
        for route in routes {
            let description = describe(OpenAPIDocument.operation(route), of: route)
            paths[route.path, default: [:]][route.method.rawValue.lowercased()] = description
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "elder-backup", "version": .text(ProgramVersion.current),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
                "description": "Backups of an application's database: jobs that make them, where they are, restores.",
            ],
            "tags": ["jobs", "backups", "runs", "exchange", "service"].asTags,
            "security": [["token": []]],
            "paths": .object(paths.mapValues(JSONLiteral.object)),
            "components": [
                "schemas": .object(ComponentSchemas.all),
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "A token of \"elder-backup token create\", or one that Elder signed.",
                    ]
                ],
            ],
        ]
    }

    private func describe(_ operation: Operation, of route: RouteTable.Route) -> JSONLiteral {
        var answers: [String: JSONLiteral] = [:]
        for answer in operation.answers { answers["\(answer.status)"] = describe(answer) }
        for (status, description) in refusals(operation, of: route) where answers["\(status)"] == nil {
            let error = Operation.json(status, description, Schema.named("Error"))
            let bodiless = Operation.Answer(status: status, description: description, mediaType: nil)
            answers["\(status)"] = describe(route.method == .head ? bodiless : error)
        }
        var value: JSONLiteral = [
            "operationId": .text(operation.id), "tags": [.text(operation.tag)], "summary": .text(operation.summary),
            "responses": .object(answers), "parameters": .list(parameters(operation, of: route)),
        ]
        if let role = route.role {
            value = value.merging(["description": "Needs the role \(role.rawValue)."])
        } else {
            value = value.merging(["security": []])
        }
        guard let body = operation.body else { return value }
        return value.merging([
            "requestBody": [
                "required": .flag(body.isRequired), "content": [body.mediaType: ["schema": body.schema]].asLiteral,
            ]
        ])
    }

    private func parameters(_ operation: Operation, of route: RouteTable.Route) -> [JSONLiteral] {
        let inPath = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { $0.dropFirst().dropLast() }
        return inPath.map { name in
            let schema = PathParameters.schema(of: String(name), in: route.path)
            return ["name": .text(String(name)), "in": "path", "required": true, "schema": schema]
        } + operation.query.map(parameter)
    }

    private func parameter(_ parameter: Operation.Parameter) -> JSONLiteral {
        [
            "name": .text(parameter.name), "in": "query", "required": false,
            // Empty is as good as missing.
            "schema": ["anyOf": [parameter.schema, ["type": "string", "maxLength": 0]]],
            "description": .text(parameter.description),
        ]
    }

    private func describe(_ answer: Operation.Answer) -> JSONLiteral {
        var value: JSONLiteral = [
            "description": .text(answer.description),
            "headers": ["X-Request-ID": ["description": "Names the request in the log.", "schema": Schema.text()]],
        ]
        if let type = answer.mediaType {
            let content: JSONLiteral = answer.schema.map { ["schema": $0] } ?? [:]
            value = value.merging(["content": [type: content].asLiteral])
        }
        return value
    }

    /// What may be refused, by the route's own and by what all share.
    private func refusals(_ operation: Operation, of route: RouteTable.Route) -> [Int: String] {
        var refusals = operation.refusals
        refusals[400] = refusals[400] ?? "The request makes no sense: the body or a parameter is wrong."
        refusals[500] = "It failed; the answer says why."
        refusals[503] = "Not now: the service is about to stop, or too much waits already."
        if route.role != nil {
            refusals[401] = "There is no token, or none that is valid."
            refusals[403] = "The token's role is too small."
            refusals[429] = "Too many requests, or too many wrong tokens; Retry-After says when to go on."
        }
        if ![.get, .head].contains(route.method) {
            refusals[409] = refusals[409] ?? "Something is in the way: a run, a setting."
        }
        if route.path.contains("{") { refusals[404] = refusals[404] ?? "There is no such thing." }
        refusals[413] = "The body is too long."
        return refusals
    }
}

extension [String] {
    fileprivate var asTags: JSONLiteral { .list(map { ["name": .text($0)] }) }
}

extension [String: JSONLiteral] {
    fileprivate var asLiteral: JSONLiteral { .object(self) }
}
