internal import BackupCore
internal import Glibc

/// Rows as COPY wants them, in memory that is used again and again.
///
/// It crosses threads as its batch does: one stage of the pipeline at a time, with a lock in between.
final class PostgreSQLDecodedRows: DecodedRows, @unchecked Sendable {
    @exclusivity(unchecked) private(set) var bytes: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private var capacity: Int
    @exclusivity(unchecked) var count = 0
    @exclusivity(unchecked) var rowCount = 0

    private static let ordinaryCapacity = 2 * MemberBoundary.largest + 512 * 1024

    init() {
        capacity = PostgreSQLDecodedRows.ordinaryCapacity
        bytes = .allocate(capacity: capacity)
    }

    deinit { bytes.deallocate() }

    func reset() {
        count = 0
        rowCount = 0
        guard capacity > 2 * PostgreSQLDecodedRows.ordinaryCapacity else { return }
        bytes.deallocate()
        capacity = PostgreSQLDecodedRows.ordinaryCapacity
        bytes = .allocate(capacity: capacity)
    }

    /// Whether it holds more than a member's rows: one large row.
    var isLarge: Bool { capacity > 2 * PostgreSQLDecodedRows.ordinaryCapacity }

    /// Hands the rows to another buffer, whose memory comes in return.
    func exchange(with other: PostgreSQLDecodedRows) {
        swap(&bytes, &other.bytes)
        swap(&capacity, &other.capacity)
        swap(&count, &other.count)
        swap(&rowCount, &other.rowCount)
    }

    /// Makes room for `more` bytes behind ``count``. The bytes may move.
    func reserve(_ more: Int) {
        let needed = count + more
        guard needed > capacity else { return }
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: needed + needed / 4)
        larger.update(from: bytes, count: count)
        bytes.deallocate()
        bytes = larger
        capacity = needed + needed / 4
    }
}
