/// The parts of a JSON Schema (draft 2020-12, https://json-schema.org/draft/2020-12/json-schema-core) that the
/// description of the API needs.
enum Schema {
    /// Names the schema of a component.
    static func named(_ name: String) -> JSONLiteral { ["$ref": "#/components/schemas/\(name)"] }

    static func text(
        _ description: String? = nil, longest: Int? = nil, shortest: Int? = nil, pattern: String? = nil,
        format: String? = nil
    ) -> JSONLiteral {
        described("string", description).merging(
            present([
                "maxLength": longest.map(JSONLiteral.number), "minLength": shortest.map(JSONLiteral.number),
                "pattern": pattern.map(JSONLiteral.text), "format": format.map(JSONLiteral.text),
            ]))
    }

    static func choice(_ values: [String], _ description: String? = nil) -> JSONLiteral {
        described("string", description).merging(["enum": .list(values.map(JSONLiteral.text))])
    }

    static func integer(
        _ description: String? = nil, from lowest: Int? = nil, to highest: Int? = nil
    ) -> JSONLiteral {
        described("integer", description).merging(
            present(["minimum": lowest.map(JSONLiteral.number), "maximum": highest.map(JSONLiteral.number)]))
    }

    static func number(_ description: String? = nil) -> JSONLiteral { described("number", description) }

    static func flag(_ description: String? = nil) -> JSONLiteral { described("boolean", description) }

    static func moment(_ description: String? = nil) -> JSONLiteral {
        described("string", description).merging(["format": "date-time"])
    }

    static func list(of item: JSONLiteral, _ description: String? = nil, shortest: Int? = nil) -> JSONLiteral {
        described("array", description).merging(
            present(["items": item, "minItems": shortest.map(JSONLiteral.number)]))
    }

    /// - Parameter required: the members that are always there; nil for all of them.
    static func object(
        _ members: [String: JSONLiteral], required: [String]? = nil, isOpen: Bool = false
    ) -> JSONLiteral {
        [
            "type": "object", "properties": .object(members), "additionalProperties": .flag(isOpen),
            "required": .list((required ?? members.keys.sorted()).map(JSONLiteral.text)),
        ]
    }

    /// An object whose members are all alike.
    static func map(of value: JSONLiteral, _ description: String? = nil) -> JSONLiteral {
        described("object", description).merging(["additionalProperties": value])
    }

    /// The same, or null.
    static func nullable(_ schema: JSONLiteral) -> JSONLiteral {
        guard case .object(let members) = schema, case .text(let type)? = members["type"] else {
            return ["anyOf": [schema, ["type": "null"]]]
        }
        guard case .list(let values)? = members["enum"] else {
            return schema.merging(["type": [.text(type), "null"]])
        }
        return schema.merging(["type": [.text(type), "null"], "enum": .list(values + [.null])])
    }

    private static func described(_ type: String, _ description: String?) -> JSONLiteral {
        .object(present(["type": .text(type), "description": description.map(JSONLiteral.text)]))
    }

    private static func present(_ members: [String: JSONLiteral?]) -> [String: JSONLiteral] {
        members.compactMapValues { $0 }
    }
}
