/// What a user says of one field: nothing, that it be taken away, or a new value.
package enum FieldChange<Value: Sendable & Equatable>: Sendable, Equatable {
    case keep
    case clear
    case set(Value)

    package func applied(to old: Value?) -> Value? {
        switch self {
        case .keep: old
        case .clear: nil
        case .set(let value): value
        }
    }

    /// Nil leaves the field as it is.
    package init(_ value: Value?) { self = value.map { .set($0) } ?? .keep }
}
