/// What a route takes and answers, as the description of the API tells it.
struct Operation: Sendable {
    /// A parameter behind the question mark.
    struct Parameter: Sendable {
        var name: String
        var schema: JSONLiteral
        var description: String
    }

    struct Body: Sendable {
        var mediaType = "application/json"
        var schema: JSONLiteral
        var isRequired = true
    }

    struct Answer: Sendable {
        var status: Int
        var description: String
        /// Nil: no body.
        var mediaType: String? = "application/json"
        var schema: JSONLiteral?
    }

    /// Unique, for generated clients.
    var id: String
    var tag: String
    var summary: String
    var query: [Parameter] = []
    var body: Body?
    var answers: [Answer]
    /// Refusals beside those that every route shares, by status.
    var refusals: [Int: String] = [:]

    static func json(_ status: Int, _ description: String, _ schema: JSONLiteral) -> Answer {
        Answer(status: status, description: description, schema: schema)
    }
}
