/// What the variable parts of paths are.
enum PathParameters {
    static func schema(of name: String, in path: String) -> JSONLiteral {
        switch name {
        case "filename": Schema.text("As an export's answer names it.", longest: 200, shortest: 1)
        case "id" where path.contains("/runs/"): Schema.text("As the Location of an answer names it.", shortest: 1)
        default: Schema.integer("As the lists show it.", from: 1)
        }
    }
}
