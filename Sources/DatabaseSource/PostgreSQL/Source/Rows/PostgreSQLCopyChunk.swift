internal import BackupCore
internal import Glibc

/// A row of `COPY … TO STDOUT`, in its chunk's memory.
struct PostgreSQLCopyRow {
    let bytes: UnsafePointer<UInt8>
    /// The line break at the end included.
    let count: Int
}

/// Whole rows of `COPY … TO STDOUT`, each with its line break, in memory that is used again.
final class PostgreSQLCopyChunk {
    /// Readers of a row look at most so many bytes beyond its end.
    static let slack = 32
    /// What a chunk without large rows holds, in bytes.
    private static let ordinarySize = 128 * 1024
    /// With less room than this a chunk is full, in bytes: rows of ordinary size are not split between libpq and here.
    private static let reserve = 16 * 1024

    @exclusivity(unchecked) private var bytes: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private var capacity: Int
    @exclusivity(unchecked) private var count = 0
    /// Where the next row begins.
    @exclusivity(unchecked) private var offset = 0

    init() throws(BackupError) {
        capacity = PostgreSQLCopyChunk.ordinarySize
        // What lies beyond the last row is looked at, and must not decide anything.
        guard let memory = calloc(capacity + PostgreSQLCopyChunk.slack, 1) else {
            throw BackupError(.storage, "out of memory: \(capacity) bytes for rows of PostgreSQL")
        }
        bytes = memory.assumingMemoryBound(to: UInt8.self)
    }

    deinit { free(bytes) }

    /// In bytes.
    var size: Int { count }

    /// Whether it is worth keeping: no row was so large that it had to grow.
    var isOrdinary: Bool { capacity == PostgreSQLCopyChunk.ordinarySize }

    // MARK: Filling

    /// Reads rows until it is full, in place of those that it held; false where the statement is over.
    func fill(from connection: PostgreSQLConnection) throws(BackupError) -> Bool {
        offset = 0
        count = 0
        // One that a large row made grow holds no more rows.
        while isOrdinary, capacity - count >= PostgreSQLCopyChunk.reserve {
            guard try readRow(connection) else { return false }
        }
        return true
    }

    private func readRow(_ connection: PostgreSQLConnection) throws(BackupError) -> Bool {
        while true {
            let room = capacity - count
            guard let length = try connection.readCopy(into: bytes + count, room) else { return false }
            count += length
            // What ends short of the room is the whole of a row, or the rest of one.
            if length < room || bytes[count - 1] == 0x0A { return true }
            try grow()
        }
    }

    private func grow() throws(BackupError) {
        // realloc moves the pages of large blocks instead of their bytes.
        guard let larger = realloc(bytes, 2 * capacity + PostgreSQLCopyChunk.slack) else {
            throw BackupError(.storage, "out of memory: a row is larger than \(capacity) bytes; exclude its table")
        }
        bytes = larger.assumingMemoryBound(to: UInt8.self)
        capacity *= 2
    }

    // MARK: Rows

    /// The next row, which ``advance(over:)`` steps over; nil behind the last one.
    @inline(__always)
    func next() throws(BackupError) -> PostgreSQLCopyRow? {
        guard offset < count else { return nil }
        let start = bytes + offset
        guard let end = memchr(start, 0x0A, count - offset) else {
            throw BackupError(.internal, "a row of COPY has no end; please report this")
        }
        return PostgreSQLCopyRow(bytes: start, count: UnsafeRawPointer(end) - UnsafeRawPointer(start) + 1)
    }

    @inline(__always)
    func advance(over row: PostgreSQLCopyRow) { offset += row.count }
}
