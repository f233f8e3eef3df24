internal import BackupCore
internal import CNumber

/// Makes sure that a value of PostgreSQL's stays what it is in a column of SQLite, which converts what looks like a
/// number by the declared type of the column (https://sqlite.org/datatype3.html#type_affinity).
struct SQLiteConversion {
    /// What a column makes of values.
    enum Affinity {
        case text, numeric, integer, real, none

        init(declaredType: String) {
            let type = declaredType.utf8.map { $0 >= 0x61 && $0 <= 0x7A ? $0 & 0xDF : $0 }
            func has(_ words: StaticString...) -> Bool {
                words.contains { word in
                    let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
                    return type.indices.contains { type[$0...].starts(with: bytes) }
                }
            }
            if has("INT") {
                self = .integer
            } else if has("CHAR", "CLOB", "TEXT") {
                self = .text
            } else if type.isEmpty || has("BLOB") {
                self = .none
            } else {
                self = has("REAL", "FLOA", "DOUB") ? .real : .numeric
            }
        }

        /// Whether it turns text that is a number into one.
        var convertsText: Bool { self != .text && self != .none }
    }

    /// The place among the cells of a row.
    let index: Int
    let name: String
    private let sourceType: String
    private let targetType: String
    let affinity: Affinity
    private let isDecimal: Bool
    private let isFloating: Bool

    /// - Parameters:
    ///   - column: as the archive of PostgreSQL describes it.
    ///   - declaredType: of the column that takes the values.
    init(_ column: ColumnDescription, at index: Int, declaredType: String) {
        self.index = index
        name = column.name
        sourceType = column.type
        targetType = declaredType
        affinity = Affinity(declaredType: declaredType)
        isDecimal = column.type.hasPrefix("numeric")
        isFloating = ["real", "double precision"].contains(column.type)
    }

    /// Whether there are values that the column would make others of.
    var isNeeded: Bool { affinity.convertsText || isFloating }

    /// Whether the number is stored as the text that PostgreSQL printed: SQLite's own has fewer digits.
    var keepsDigits: Bool { isFloating && affinity == .text }

    /// - Throws: ``BackupError/Code/target`` with column and value, where the column would make another value of it.
    @inline(__always)
    func apply(_ cell: inout SQLiteCell) throws(BackupError) {
        switch cell.kind {
        case .integer:
            guard affinity == .real, Int64(exactly: Double(cell.integer)) != cell.integer else { return }
            throw refusal(cell)
        case .real:
            guard cell.bits == Double(-0.0).bitPattern, affinity.convertsText else { return }
            throw refusal(cell)
        case .text: if affinity.convertsText || isFloating { try applyToText(&cell) }
        case .absent, .null, .text16, .blob: return
        }
    }

    @inline(never)
    private func applyToText(_ cell: inout SQLiteCell) throws(BackupError) {
        guard let start = cell.address else { return }
        let count = Int(cell.length)
        if isFloating {
            // NaN alone comes as text where the column takes no text.
            guard affinity == .text else { throw refusal(cell) }
            return
        }
        if isDecimal { return try applyToDecimal(&cell, start, count) }
        guard SQLiteDecimal.isNumber(start, count) else { return }
        // The digits of a whole number come back from SQLite as they went in.
        let isWhole = SQLiteText.integer(start, 0, count) != nil
        let first = start[0] == 0x2D ? 1 : 0
        let isCanonical = isWhole && (start[first] != 0x30 || count == 1)
        guard isCanonical, affinity != .real else { throw refusal(cell) }
    }

    private func applyToDecimal(
        _ cell: inout SQLiteCell, _ start: UnsafePointer<UInt8>, _ count: Int
    ) throws(BackupError) {
        guard let decimal = SQLiteDecimal(start, count) else {
            // Infinity there is in SQLite too, NaN not.
            let isNegative = start[0] == 0x2D
            let word = isNegative ? 1 : 0
            guard count - word == 8, start[word] == 0x49 else { throw refusal(cell) }
            return cell.set(isNegative ? -Double.infinity : Double.infinity)
        }
        if let whole = decimal.whole {
            guard affinity != .real || Int64(exactly: Double(whole)) == whole else { throw refusal(cell) }
            return cell.set(whole)
        }
        guard let value = SQLiteText.real(start, 0, count), decimal.isRead(from: value) else { throw refusal(cell) }
        cell.set(value)
    }

    private func refusal(_ cell: SQLiteCell) -> BackupError {
        let value = cell.shortText ?? ""
        let type = targetType.isEmpty ? "a column without a type" : "\"\(targetType)\""
        return BackupError(
            .target,
            "the value \(value) of column \"\(name)\" (\(sourceType)) would become another one in SQLite, where the column "
                + "is declared as \(type); declare it as TEXT, or leave the table out with --tables")
    }
}

extension SQLiteTableLoader.Plan {
    /// Watches over the values of PostgreSQL's that the table's columns may make others of.
    mutating func convert(_ description: TableDescription) {
        for (index, column) in description.columns.enumerated() {
            guard let own = table.column(column.name), !own.isGenerated else { continue }
            let conversion = SQLiteConversion(column, at: index, declaredType: own.type)
            if conversion.isNeeded { conversions.append(conversion) }
            if conversion.keepsDigits { columns[index].form = .digits }
        }
    }
}

/// A decimal number by its digits.
struct SQLiteDecimal: Equatable {
    private var isNegative = false
    /// Without zeros in front and behind.
    private var digits: [UInt8] = []
    /// The place of the point behind the first digit.
    private var exponent = 0

    /// Whether SQLite takes the text for a number: digits with a sign, a point and an exponent, and space around them.
    static func isNumber(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool { SQLiteDecimal(text, count) != nil }

    /// Nil where the text is none.
    init?(_ text: UnsafePointer<UInt8>, _ count: Int) {
        var index = 0
        var end = count
        while index < end, SQLiteDecimal.isSpace(text[index]) { index += 1 }
        while end > index, SQLiteDecimal.isSpace(text[end - 1]) { end -= 1 }
        if index < end, text[index] == 0x2D || text[index] == 0x2B {
            isNegative = text[index] == 0x2D
            index += 1
        }
        var hasDigits = false
        var point: Int?
        while index < end, text[index] &- 0x30 < 10 || text[index] == 0x2E && point == nil {
            if text[index] == 0x2E {
                point = digits.count
            } else {
                hasDigits = true
                digits.append(text[index] &- 0x30)
            }
            index += 1
        }
        guard hasDigits else { return nil }
        var scale = 0
        if index < end, text[index] | 0x20 == 0x65 {
            index += 1
            let isMinus = index < end && text[index] == 0x2D
            if index < end, text[index] == 0x2D || text[index] == 0x2B { index += 1 }
            guard index < end, end - index < 8, let value = SQLiteText.integer(text, index, end) else { return nil }
            scale = isMinus ? -Int(value) : Int(value)
            index = end
        }
        guard index == end else { return nil }
        exponent = (point ?? digits.count) + scale
        while digits.first == 0 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == 0 { digits.removeLast() }
        if digits.isEmpty { (exponent, isNegative) = (0, false) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 9 < 5 }

    /// The number where it is a whole one of 64 bits.
    var whole: Int64? {
        guard exponent >= digits.count, exponent <= 19 else { return digits.isEmpty ? 0 : nil }
        var value: Int64 = 0
        for place in 0..<exponent {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = place < digits.count ? Int64(digits[place]) : 0
            // Downwards, because the least integer has no positive counterpart.
            let (difference, underflow) = product.subtractingReportingOverflow(digit)
            if overflow || underflow { return nil }
            value = difference
        }
        if isNegative { return value }
        return value == Int64.min ? nil : -value
    }

    /// Whether the shortest text of `value` is this number.
    func isRead(from value: Double) -> Bool {
        // Any fifteen digits survive.
        if digits.count <= 15, value.isNormal { return true }
        guard value.isFinite else { return false }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress else { return false }
            let length = eb_format_double(value, start)
            return start.withMemoryRebound(to: UInt8.self, capacity: 64) { SQLiteDecimal($0, Int(length)) == self }
        }
    }
}
