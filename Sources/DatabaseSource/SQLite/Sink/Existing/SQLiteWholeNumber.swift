internal import BackupCore

/// The whole number that a value stands for where ids are compared, and such a number in the value's own form.
enum SQLiteWholeNumber {
    /// Digits and sign of the longest integer of 64 bits.
    static let longestText = 20
    /// Up to here a double holds every whole number.
    private static let exact = 9_007_199_254_740_992.0

    /// An integer, a real without fraction, or the canonical digits of an integer; nil for anything else.
    static func value(of cell: SQLiteCell) -> Int64? {
        switch cell.kind {
        case .integer: return cell.integer
        case .real:
            let real = cell.real
            return real.magnitude < exact && real.rounded(.towardZero) == real ? Int64(real) : nil
        case .text:
            guard let address = cell.address, cell.length > 0, cell.length <= longestText else { return nil }
            let length = Int(cell.length)
            let digits = address[0] == 0x2D ? 1 : 0
            // A leading zero, or a minus before it, would be lost.
            if digits < length, address[digits] == 0x30, length > 1 { return nil }
            return SQLiteText.integer(address, 0, length)
        case .absent, .null, .text16, .blob: return nil
        }
    }

    /// Adds to the number that a cell holds, and keeps the cell's form; text is written to `space`
    /// (``longestText`` bytes), which must stay for as long as the cell is used.
    ///
    /// - Returns: false where the sum does not fit, or the cell holds no whole number.
    static func add(_ offset: Int64, to cell: inout SQLiteCell, _ space: UnsafeMutablePointer<UInt8>) -> Bool {
        guard let value = value(of: cell) else { return false }
        let (sum, overflow) = value.addingReportingOverflow(offset)
        guard !overflow else { return false }
        switch cell.kind {
        case .real:
            guard Double(sum).magnitude < exact else { return false }
            cell.set(Double(sum))
        case .text: cell.set(.text, space, write(sum, to: space))
        default: cell.set(sum)
        }
        return true
    }

    private static func write(_ value: Int64, to space: UnsafeMutablePointer<UInt8>) -> Int {
        var rest = value.magnitude
        var index = longestText
        repeat {
            index -= 1
            space[index] = UInt8(0x30 + rest % 10)
            rest /= 10
        } while rest > 0
        if value < 0 {
            index -= 1
            space[index] = 0x2D
        }
        let length = longestText - index
        for position in 0..<length { space[position] = space[index + position] }
        return length
    }
}

/// What a first reading of the archive found in one column.
struct SQLiteColumnSurvey {
    /// The least and greatest whole number.
    private(set) var range: ClosedRange<Int64>?
    /// Values that are neither null nor a whole number.
    private(set) var others: Int64 = 0
    /// Where the first of them is.
    private(set) var firstOther: [String] = []

    /// Whether any value is not null.
    var hasValues: Bool { range != nil || others > 0 }

    @inline(__always)
    mutating func note(_ cell: SQLiteCell, location: @autoclosure () -> [String]) {
        if cell.kind == .null || cell.kind == .absent { return }
        guard let value = SQLiteWholeNumber.value(of: cell) else {
            if others == 0 { firstOther = location() }
            others += 1
            return
        }
        guard let known = range else {
            range = value...value
            return
        }
        if !known.contains(value) { range = min(known.lowerBound, value)...max(known.upperBound, value) }
    }
}
