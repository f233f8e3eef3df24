import Glibc

/// A run of encoded rows on its way between a database and an archive.
///
/// The text is exactly what an archive member holds: rows one a line, each but the first row of its table preceded by
/// a comma (`docs/archive-format.md`). ``rows`` gives the place of each row object in it. Buffers are reused for the
/// whole run, so that nothing is allocated per row.
///
/// A batch belongs to one stage of a pipeline at a time; the pipeline hands it on with a lock in between. That is why
/// it may cross threads although it holds unguarded memory, and why exclusive access is not checked at run time: that
/// would take a twelfth of a backup's time.
package final class RowBatch: @unchecked Sendable {
    /// The place of one row object: from its `{` to just behind its `}`.
    package struct Span: Sendable {
        package var start: UInt32
        package var end: UInt32
    }

    /// Readers may look at so many bytes behind the text, whatever they are.
    package static let slack = 16

    /// The text, `count` bytes of it in use.
    @exclusivity(unchecked) package private(set) var bytes: UnsafeMutableRawPointer
    @exclusivity(unchecked) package private(set) var capacity: Int
    /// Bytes in use. Writers that fill ``bytes`` themselves move it forward.
    @exclusivity(unchecked) package var count = 0

    @exclusivity(unchecked) private var spans: UnsafeMutablePointer<Span>
    @exclusivity(unchecked) private var spanCapacity: Int
    @exclusivity(unchecked) package private(set) var rowCount = 0
    /// The digest of the rows in this batch, kept as they are added.
    @exclusivity(unchecked) package private(set) var digest = TableDigest()

    /// Where the text of the rows begins, behind what opens the table.
    @exclusivity(unchecked) private var rowsStart = 0
    @exclusivity(unchecked) private var opensTable = false

    /// The capacity to which a batch returns after a large row.
    package static let ordinaryCapacity = MemberBoundary.largest + 256 * 1024

    package init() {
        capacity = RowBatch.ordinaryCapacity
        bytes = RowBatch.allocate(capacity)
        spanCapacity = 4096
        spans = .allocate(capacity: spanCapacity)
    }

    deinit {
        free(bytes)
        spans.deallocate()
    }

    /// The places of the row objects, in order.
    package var rows: UnsafeBufferPointer<Span> { UnsafeBufferPointer(start: spans, count: rowCount) }

    /// Empties the batch and gives memory back that a large row had needed.
    package func reset() {
        count = 0
        rowCount = 0
        rowsStart = 0
        opensTable = false
        digest = TableDigest()
        if capacity > RowBatch.ordinaryCapacity {
            free(bytes)
            capacity = RowBatch.ordinaryCapacity
            bytes = RowBatch.allocate(capacity)
        }
    }

    /// Empties the batch and writes what stands before its first row.
    ///
    /// - Parameters:
    ///   - prefix: the text that opens the table, or nothing.
    ///   - opensTable: whether the first row that follows is the first of its table, and so needs no comma.
    package func reset(prefix: [UInt8], opensTable: Bool) {
        reset()
        append(prefix)
        rowsStart = count
        self.opensTable = opensTable
    }

    /// Makes room for `more` bytes behind ``count``. The text may move.
    package func reserve(_ more: Int) {
        let needed = count + more
        guard needed > capacity else { return }
        // Growth in proportion keeps copies rare; past a few megabytes exact growth keeps the peak low, and
        // realloc of large blocks moves pages instead of bytes.
        let target = needed < 8 << 20 ? max(needed, capacity + capacity / 2) : needed + 64 * 1024
        bytes = RowBatch.reallocate(bytes, target)
        capacity = target
    }

    package func append(_ text: some Collection<UInt8>) {
        reserve(text.count)
        for byte in text {
            bytes.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }
    }

    /// Writes what separates the next row from what stands before it, and returns the place where the row begins.
    /// Reserves `size` bytes for the row.
    package func beginRow(reserving size: Int) -> Int {
        reserve(size + 2)
        if !(opensTable && rowCount == 0) {
            bytes.storeBytes(of: UInt8(ascii: ","), toByteOffset: count, as: UInt8.self)
            count += 1
        }
        bytes.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: count, as: UInt8.self)
        count += 1
        return count
    }

    /// Ends the row that began at `start`: notes its place, adds it to the digest, and tells whether a member of the
    /// archive ends here.
    package func endRow(startedAt start: Int) -> Bool {
        let hash = addRow(start: start, end: count)
        return MemberBoundary.falls(afterRowOf: count - start, hash: hash, textSoFar: count - rowsStart)
    }

    /// Notes a row that stands in the text already, adds it to the digest, and returns its hash.
    @discardableResult
    package func addRow(start: Int, end: Int) -> UInt128 {
        noteRow(start: start, end: end)
        return digest.add(UnsafeRawBufferPointer(start: bytes + start, count: end - start))
    }

    /// Notes a row that stands in the text already, without adding it to the digest.
    package func noteRow(start: Int, end: Int) {
        if rowCount == spanCapacity { growSpans() }
        spans[rowCount] = Span(start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end))
        rowCount += 1
    }

    private func growSpans() {
        let larger = UnsafeMutablePointer<Span>.allocate(capacity: spanCapacity * 2)
        larger.update(from: spans, count: rowCount)
        spans.deallocate()
        spans = larger
        spanCapacity *= 2
    }

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        guard let memory = malloc(size + slack) else { outOfMemory(size) }
        return memory
    }

    private static func reallocate(_ old: UnsafeMutableRawPointer, _ size: Int) -> UnsafeMutableRawPointer {
        guard let memory = realloc(old, size + slack) else { outOfMemory(size) }
        return memory
    }

    /// Without memory nothing can be reported but this; the run's record is closed by the next start's sweep.
    private static func outOfMemory(_ size: Int) -> Never {
        fatalError("out of memory: \(size) bytes for one batch of rows; lower BACKUP_MAX_ROW")
    }
}
