/// The shapes of what the API answers, by name.
enum ComponentSchemas {
    static let all: [String: JSONLiteral] = jobs.merging(backups) { first, _ in first }
        .merging(runs) { first, _ in first }.merging(exchange) { first, _ in first }
        .merging(service) { first, _ in first }

    private static let service: [String: JSONLiteral] = [
        "Error": Schema.object(
            [
                "error": Schema.text("What failed, on what, why, and what to do next."),
                "code": Schema.text("Of a fixed list, for programs."),
                "fields": Schema.map(of: Schema.text(), "What is wrong, by field."),
            ], required: ["error", "code"]),
        "Message": Schema.object(["message": Schema.text()]),
    ]
}
