internal import BackupCore

/// A value that rows are compared with.
enum FilterOperand: Sendable {
    case null
    case boolean(Bool)
    case number(DecimalText)
    /// With the moment that the text names, where it names one.
    case text([UInt8], Timestamp?)
}

enum FilterComparison: String, Sendable, CaseIterable {
    case less = "lt"
    case lessOrEqual = "lte"
    case greater = "gt"
    case greaterOrEqual = "gte"

    func holds(_ order: FilterOrder) -> Bool {
        switch self {
        case .less: order == .less
        case .lessOrEqual: order != .greater
        case .greater: order == .greater
        case .greaterOrEqual: order != .less
        }
    }
}

enum FilterOrder: Equatable {
    case less, equal, greater

    init<Value: Comparable>(_ left: Value, _ right: Value) {
        self = left < right ? .less : right < left ? .greater : .equal
    }
}

/// What one column's values must be for a row to be taken.
enum FilterTest: Sendable {
    case oneOf([FilterOperand])
    case range([(comparison: FilterComparison, bound: FilterOperand)])
}

/// Decides about rows (`docs/export.md`, "Filters").
struct RowFilter {
    /// By the column's place in the row.
    let tests: [(column: Int, test: FilterTest)]
    private var scratch: [UInt8] = []

    init(_ tests: [(column: Int, test: FilterTest)]) { self.tests = tests }

    mutating func takes(_ row: RowCells) -> Bool {
        for (column, test) in tests where !passes(row, column, test) { return false }
        return true
    }

    private mutating func passes(_ row: RowCells, _ column: Int, _ test: FilterTest) -> Bool {
        let cell = row.cells[column]
        switch test {
        case .oneOf(let operands):
            for operand in operands {
                if case .null = operand {
                    if cell.kind == .null { return true }
                } else if case .boolean(let flag) = operand {
                    if RowFilter.flag(row, cell, row.columns[column]) == flag { return true }
                } else if order(row, cell, operand) == .equal {
                    return true
                }
            }
            return false
        case .range(let bounds):
            for (comparison, bound) in bounds {
                guard let order = order(row, cell, bound), comparison.holds(order) else { return false }
            }
            return true
        }
    }

    /// The truth that a value stands for: `true` and `false`, 1 and 0, and the `T` and `F` of Elder's CHAR(1) columns.
    private static func flag(_ row: RowCells, _ cell: RowCell, _ column: ColumnDescription) -> Bool? {
        let text = row.literal(cell)
        switch cell.kind {
        case .boolean: return text.first == UInt8(ascii: "t")
        case .number where text.count == 1 && text[0] == UInt8(ascii: "1"): return true
        case .number where text.count == 1 && text[0] == UInt8(ascii: "0"): return false
        case .text where text.count == 3 && column.type.uppercased() == "CHAR(1)":
            return text[1] == UInt8(ascii: "T") ? true : text[1] == UInt8(ascii: "F") ? false : nil
        default: return nil
        }
    }

    /// How a value stands to an operand; nil where they are of different kinds.
    private mutating func order(_ row: RowCells, _ cell: RowCell, _ operand: FilterOperand) -> FilterOrder? {
        switch (operand, cell.kind) {
        case (.number(let bound), .number):
            let text = row.literal(cell)
            if let number = DecimalText(text) { return FilterOrder(number, bound) }
            // Beyond all numbers, or none.
            switch text.first {
            case UInt8(ascii: "I"): return .greater
            case UInt8(ascii: "-"): return .less
            default: return nil
            }
        case (.number(let bound), .text):
            // Exact decimals are strings in an archive.
            scratch.removeAll(keepingCapacity: true)
            row.appendText(of: cell, to: &scratch)
            return DecimalText(scratch).map { FilterOrder($0, bound) }
        case (.text(let bound, let moment), .text), (.text(let bound, let moment), .bytes):
            scratch.removeAll(keepingCapacity: true)
            row.appendText(of: cell, to: &scratch)
            if let moment, let found = RowFilter.moment(scratch) { return FilterOrder(found, moment) }
            if scratch == bound { return .equal }
            return scratch.lexicographicallyPrecedes(bound) ? .less : .greater
        default: return nil
        }
    }

    /// The moment that a text names, whatever separators it has; without a zone it is in UTC.
    static func moment(_ text: [UInt8]) -> Timestamp? {
        guard text.count >= 10, text.count <= 40, text[4] == UInt8(ascii: "-") else { return nil }
        var string = String(decoding: text, as: UTF8.self)
        // Seconds may be left out.
        if text.count >= 16, text[13] == UInt8(ascii: ":"), text.count == 16 || text[16] != UInt8(ascii: ":") {
            var whole = text
            whole.insert(contentsOf: Array(":00".utf8), at: 16)
            string = String(decoding: whole, as: UTF8.self)
        }
        // PostgreSQL writes whole hours of a zone without minutes.
        if text.count > 13, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(text[text.count - 3]) { string += ":00" }
        return Timestamp(string)
    }
}
