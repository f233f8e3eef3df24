internal import BackupCore

/// One value on its way into a SQLite table; text and byte strings point into the batch they came from.
struct SQLiteCell {
    enum Kind: UInt8 {
        /// The row does not name the column: it takes its default.
        case absent
        case null
        case integer
        case real
        /// UTF-8.
        case text
        /// UTF-16, little-endian.
        case text16
        case blob
    }

    /// An integer, the bit pattern of a double, or an address.
    var bits: UInt64
    /// Bytes at the address.
    var length: UInt32
    var kind: Kind

    static let absent = SQLiteCell(bits: 0, length: 0, kind: .absent)

    var integer: Int64 { Int64(bitPattern: bits) }
    var real: Double { Double(bitPattern: bits) }
    var address: UnsafePointer<UInt8>? { UnsafePointer(bitPattern: UInt(bits)) }

    mutating func set(_ value: Int64) {
        bits = UInt64(bitPattern: value)
        kind = .integer
    }

    mutating func set(_ value: Double) {
        bits = value.bitPattern
        kind = .real
    }

    mutating func set(_ kind: Kind, _ start: UnsafePointer<UInt8>, _ length: Int) {
        bits = UInt64(UInt(bitPattern: start))
        self.length = UInt32(truncatingIfNeeded: length)
        self.kind = kind
    }

    /// The value as a short text that tells a row from others, for an error.
    var shortText: String? {
        switch kind {
        case .integer: return String(integer)
        case .real: return String(real)
        case .text:
            guard let address else { return nil }
            let text = String(decoding: UnsafeBufferPointer(start: address, count: Int(length)), as: UTF8.self)
            return text.count <= 40 ? text : String(text.prefix(40)) + "…"
        case .absent, .null, .text16, .blob: return nil
        }
    }
}

/// The cells of a batch of rows, row after row, in memory that is used again and again.
///
/// It crosses threads as its batch does: one stage of the pipeline at a time, with a lock in between.
final class SQLiteDecodedRows: DecodedRows, @unchecked Sendable {
    let columnCount: Int
    private(set) var cells: UnsafeMutablePointer<SQLiteCell>
    private var capacity: Int
    var rowCount = 0

    init(columnCount: Int) {
        self.columnCount = columnCount
        capacity = columnCount * 64
        cells = .allocate(capacity: capacity)
    }

    deinit { cells.deallocate() }

    /// Makes room for the cells of `rows` rows, and forgets those of before.
    func reset(rows: Int) {
        rowCount = 0
        let needed = rows * columnCount
        guard needed > capacity else { return }
        cells.deallocate()
        cells = .allocate(capacity: needed)
        capacity = needed
    }

    func row(_ index: Int) -> UnsafeMutablePointer<SQLiteCell> { cells + index * columnCount }
}
