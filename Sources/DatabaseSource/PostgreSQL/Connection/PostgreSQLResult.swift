internal import CLibpq

/// What a statement gave: rows of text, or an error.
final class PostgreSQLResult {
    let handle: OpaquePointer
    let status: ExecStatusType

    init(_ handle: OpaquePointer) {
        self.handle = handle
        status = PQresultStatus(handle)
    }

    deinit { PQclear(handle) }

    var rowCount: Int { Int(PQntuples(handle)) }

    /// A value; nil is SQL's null.
    func text(_ row: Int, _ column: Int) -> String? {
        let (row, column) = (Int32(row), Int32(column))
        guard PQgetisnull(handle, row, column) == 0, let value = PQgetvalue(handle, row, column) else { return nil }
        return String(cString: value)
    }

    /// A value of a column that has no nulls.
    func value(_ row: Int, _ column: Int) -> String { text(row, column) ?? "" }

    func flag(_ row: Int, _ column: Int) -> Bool { text(row, column) == "t" }

    func integer(_ row: Int, _ column: Int) -> Int64? { text(row, column).flatMap { Int64($0) } }

    /// A one-dimensional array's elements, of a column that was turned to text with `array_to_json`-free means: the
    /// query joins them with the unit separator (U+001F), which no catalog text holds.
    func list(_ row: Int, _ column: Int) -> [String] {
        guard let text = text(row, column), !text.isEmpty else { return [] }
        return text.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
    }

    /// How many rows the statement changed.
    var affectedRows: Int64? { PQcmdTuples(handle).flatMap { Int64(String(cString: $0)) } }

    /// A part of the error that the server gave.
    func field(_ code: Character) -> String? {
        guard let value = code.asciiValue, let text = PQresultErrorField(handle, Int32(value)) else { return nil }
        return String(cString: text)
    }
}
