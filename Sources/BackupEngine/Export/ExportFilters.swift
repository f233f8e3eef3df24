internal import BackupCore

/// The filters of a request as they were written, before it is known which tables and columns there are.
struct ExportFilters {
    private enum Entry {
        case test(FilterTest)
        /// For the columns of one table.
        case object([(column: String, test: FilterTest)])
        /// An object whose names are all comparisons: a range of a column, or columns of a table that are called so.
        case either(FilterTest, [(column: String, test: FilterTest)]?)
    }

    private var entries: [(name: String, entry: Entry)] = []
    private static let longestList = 1_000

    /// - Throws: `usage`, located at `filters`.
    init(json: [UInt8]?) throws(BackupError) {
        guard let json else { return }
        for (name, value) in try ExportFilters.members(json) {
            entries.append((name, try ExportFilters.entry(name, value)))
        }
    }

    /// What each of these tables' rows must pass. Every name must be known to one of them at least.
    ///
    /// - Parameter names: which table a name means, for all names that mean one.
    func tests(
        for tables: [TableDescription], names: [ExactName: String]
    ) throws(BackupError) -> [[(column: Int, test: FilterTest)]] {
        var result = Array(repeating: [(column: Int, test: FilterTest)](), count: tables.count)
        for (name, entry) in entries {
            if let table = names[ExactName(name)], let columns = ExportFilters.columns(entry) {
                guard let place = tables.firstIndex(where: { $0.name.isExactly(table) }) else {
                    throw ExportFilters.wrong("\"\(name)\" is a table that is not exported")
                }
                for (column, test) in columns {
                    guard let index = tables[place].columns.firstIndex(where: { $0.name.isExactly(column) }) else {
                        throw ExportFilters.missing("the table \"\(table)\" has no column \"\(column)\"")
                    }
                    result[place].append((index, test))
                }
                continue
            }
            guard let test = ExportFilters.test(entry) else {
                throw ExportFilters.wrong(
                    "\"\(name)\" is neither a table nor a column with a range (gt, gte, lt, lte)")
            }
            var isKnown = false
            for (place, table) in tables.enumerated() {
                guard let index = table.columns.firstIndex(where: { $0.name.isExactly(name) }) else { continue }
                result[place].append((index, test))
                isKnown = true
            }
            guard isKnown else { throw ExportFilters.missing("no exported table has a column \"\(name)\"") }
        }
        return result
    }

    private static func columns(_ entry: Entry) -> [(column: String, test: FilterTest)]? {
        switch entry {
        case .test: nil
        case .object(let columns): columns
        case .either(_, let columns): columns
        }
    }

    private static func test(_ entry: Entry) -> FilterTest? {
        switch entry {
        case .test(let test), .either(let test, _): test
        case .object: nil
        }
    }

    // MARK: Reading

    private static func missing(_ reason: String) -> BackupError {
        BackupError(.notFound, reason, location: ["filters"])
    }

    private static func wrong(_ reason: String) -> BackupError {
        BackupError(.usage, reason, location: ["filters"])
    }

    private static func members(_ json: [UInt8]) throws(BackupError) -> [(key: String, value: [UInt8])] {
        do {
            return try JSONSlices(object: json, depth: 8).members
        } catch {
            throw wrong("must be a JSON object: \(error.message)")
        }
    }

    private static func entry(_ name: String, _ value: [UInt8]) throws(BackupError) -> Entry {
        guard value.first == UInt8(ascii: "{") else { return .test(try scalarTest(name, value)) }
        let inner = try members(value)
        guard !inner.isEmpty else { throw wrong("\"\(name)\" asks for nothing: give a value or a range") }
        let comparisons = inner.compactMap { FilterComparison(rawValue: $0.key) }
        guard comparisons.count == inner.count else {
            return .object(try columns(inner))
        }
        var bounds: [(comparison: FilterComparison, bound: FilterOperand)] = []
        for (comparison, member) in zip(comparisons, inner) {
            switch try operand(name, member.value) {
            case .null, .boolean: throw wrong("\"\(name)\": a range is bounded by numbers or texts")
            case let bound: bounds.append((comparison, bound))
            }
        }
        return .either(.range(bounds), try? columns(inner))
    }

    private static func columns(
        _ members: [(key: String, value: [UInt8])]
    ) throws(BackupError) -> [(column: String, test: FilterTest)] {
        var columns: [(column: String, test: FilterTest)] = []
        for (column, value) in members {
            switch try entry(column, value) {
            case .test(let test), .either(let test, _): columns.append((column, test))
            case .object: throw wrong("\"\(column)\": a range is written with gt, gte, lt and lte")
            }
        }
        return columns
    }

    private static func scalarTest(_ name: String, _ value: [UInt8]) throws(BackupError) -> FilterTest {
        guard value.first == UInt8(ascii: "[") else { return .oneOf([try operand(name, value)]) }
        var operands: [FilterOperand] = []
        guard let items = JSONSlices.elements(of: value) else { throw wrong("\"\(name)\": a list is malformed") }
        guard items.count <= longestList else { throw wrong("\"\(name)\": a list has at most \(longestList) values") }
        for item in items { operands.append(try operand(name, item)) }
        return .oneOf(operands)
    }

    private static func operand(_ name: String, _ value: [UInt8]) throws(BackupError) -> FilterOperand {
        switch value.first {
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "t"): return .boolean(true)
        case UInt8(ascii: "f"): return .boolean(false)
        case UInt8(ascii: "\""):
            guard let text = JSONSlices.string(value) else { throw wrong("\"\(name)\": a text is malformed") }
            let bytes = Array(text.utf8)
            return .text(bytes, RowFilter.moment(bytes))
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            throw wrong("\"\(name)\": a value is a number, a text, true, false or null")
        default:
            guard let number = DecimalText(value) else { throw wrong("\"\(name)\": a number is malformed") }
            return .number(number)
        }
    }
}
