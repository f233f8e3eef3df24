/// A JSON value written in code.
indirect enum JSONLiteral: Sendable, Equatable {
    case null
    case flag(Bool)
    case number(Int)
    case text(String)
    case list([JSONLiteral])
    case object([String: JSONLiteral])

    /// An object with further members; any other value as it is.
    func merging(_ more: [String: JSONLiteral]) -> JSONLiteral {
        guard case .object(let members) = self else { return self }
        return .object(members.merging(more) { _, new in new })
    }
}

extension JSONLiteral: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .flag(value) }
    init(arrayLiteral elements: JSONLiteral...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, JSONLiteral)...) {
        self = .object(Dictionary(elements) { _, new in new })
    }
    init(nilLiteral: ()) { self = .null }
}

extension JSONLiteral: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let members): try container.encode(members)
        }
    }
}
