/// The tags by which an archive writes what JSON cannot hold, or what departs from its column's encoding: an object
/// with one key that begins with a dollar sign, such as `{"$bytes":"3q2+7w=="}`.
///
/// `docs/archive-format.md`, "Tagged values", is the specification.
package enum ValueTag: String, CaseIterable, Sendable {
    /// Text, as a JSON string: where the column's encoding would read a plain string as something else.
    case string = "$string"
    /// An integer in decimal digits, as a string: in a JSON column, where a plain number is JSON text.
    case integer = "$integer"
    /// A floating-point number as a string: `Infinity`, `-Infinity`, or a decimal in a JSON column.
    case real = "$real"
    /// A byte string in base64 (RFC 4648, section 4, with padding).
    case bytes = "$bytes"
    /// Text that is not valid in the database's encoding: its stored bytes in base64.
    case text = "$text"
}
