import FoundationEssentials

/// A response as text for people, field by field: what `--json` prints, laid out.
struct TextReport {
    let text: String

    init(of response: some Encodable) throws {
        let value = try JSONDecoder().decode(JSONTree.self, from: JSONEncoder().encode(response))
        var lines: [String] = []
        TextReport.append(value, indent: 0, to: &lines)
        text = lines.joined(separator: "\n")
    }

    private static func append(_ value: JSONTree, indent: Int, to lines: inout [String]) {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .object(let fields):
            // The short before the long: single values, objects, lists.
            let ordered = fields.sorted { ($0.value.depth, $0.key) < ($1.value.depth, $1.key) }
            for (key, field) in ordered { append(field, named: label(key), indent: indent, to: &lines) }
        case .array(let items):
            if items.allSatisfy({ $0.scalars != nil }), let table = table(items) {
                lines += TextTable(columns: table.columns, rows: table.rows).lines.map { margin + $0 }
            } else {
                for item in items {
                    lines.append(margin + "-")
                    append(item, indent: indent + 2, to: &lines)
                }
            }
        default:
            lines.append(margin + Printable.line(value.scalar))
        }
    }

    private static func append(_ value: JSONTree, named name: String, indent: Int, to lines: inout [String]) {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .object(let fields) where fields.isEmpty: lines.append(margin + name + ": none")
        case .array(let items) where items.isEmpty: lines.append(margin + name + ": none")
        case .array(let items) where items.allSatisfy({ $0.depth == 0 }):
            lines.append(margin + name + ": " + items.map { Printable.line($0.scalar) }.joined(separator: ", "))
        case .object, .array:
            lines.append(margin + name + ":")
            append(value, indent: indent + 2, to: &lines)
        default:
            lines.append(margin + name + ": " + Printable.line(value.scalar))
        }
    }

    /// An array of flat objects as a table with all their fields.
    private static func table(_ items: [JSONTree]) -> (columns: [String], rows: [[String]])? {
        let records = items.compactMap(\.scalars)
        let keys = Set(records.flatMap(\.keys)).sorted { ($0 == "name" ? 0 : 1, $0) < ($1 == "name" ? 0 : 1, $1) }
        guard !keys.isEmpty else { return nil }
        return (keys.map(label), records.map { record in keys.map { record[$0].map(Printable.line) ?? "" } })
    }

    private static func label(_ key: String) -> String { Printable.line(key.replacing("_", with: " ")) }
}

/// Any JSON value.
private enum JSONTree: Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONTree].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONTree].self))
        }
    }

    /// 0 for a single value, 1 for an object, 2 for a list.
    var depth: Int {
        switch self {
        case .array: 2
        case .object: 1
        default: 0
        }
    }

    var scalar: String {
        switch self {
        case .null: "none"
        case .bool(let value): value ? "yes" : "no"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): value
        case .array(let items): items.map(\.scalar).joined(separator: ", ")
        case .object(let fields):
            fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.scalar)" }.joined(separator: ", ")
        }
    }

    /// The fields of an object that holds no objects; nil for anything else.
    var scalars: [String: String]? {
        guard case .object(let fields) = self else { return nil }
        let isFlat = fields.values.allSatisfy { value in
            switch value {
            case .object: false
            case .array(let items): items.count <= 8 && items.allSatisfy { $0.depth == 0 }
            default: true
            }
        }
        return isFlat ? fields.mapValues(\.scalar) : nil
    }
}
