internal import BackupCore
internal import Foundation

/// Reads the parts of one table over several connections at once, and hands their rows on in order.
///
/// Each connection has a thread of its own, which takes the next part as soon as it is done with one. How far they run
/// ahead of what was handed on is bounded, in parts and in bytes of each part.
final class PostgreSQLRangeReader: @unchecked Sendable {
    /// Rows, each with its line break, in memory that is used again.
    private final class Chunk {
        @exclusivity(unchecked) var bytes: UnsafeMutablePointer<UInt8>
        @exclusivity(unchecked) var count = 0
        private var capacity: Int

        init() {
            capacity = PostgreSQLRangeReader.chunkSize + 64 * 1024
            bytes = .allocate(capacity: capacity + PostgreSQLRangeReader.slack)
        }

        deinit { bytes.deallocate() }

        func append(_ row: PostgreSQLCopyRow) {
            if count + row.count > capacity {
                capacity = count + row.count
                let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + PostgreSQLRangeReader.slack)
                larger.update(from: bytes, count: count)
                bytes.deallocate()
                bytes = larger
            }
            UnsafeMutableRawPointer(bytes + count).copyMemory(from: row.bytes, byteCount: row.count)
            count += row.count
        }

        var isOrdinary: Bool { capacity <= PostgreSQLRangeReader.chunkSize + 64 * 1024 }
    }

    private struct Part {
        var chunks: [Chunk] = []
        var isComplete = false
    }

    private static let chunkSize = 256 * 1024
    /// Whoever reads a row looks a few bytes beyond its end.
    private static let slack = 16
    /// Chunks that wait in one part.
    private static let largestQueue = 6

    private let statements: [String]
    private let window: Int
    /// Guards all that follows.
    private let condition = NSCondition()
    private var parts: [Int: Part] = [:]
    private var nextPart = 0
    private var current = 0
    private var running: Int
    private var isStopped = false
    private var failure: BackupError?
    private var spare: [Chunk] = []
    /// The consumer's alone. Checks of exclusive access would take a twentieth of a backup's time.
    @exclusivity(unchecked) private var chunk: Chunk?
    @exclusivity(unchecked) private var offset = 0

    /// - Parameter statements: the `COPY … TO STDOUT` of each part, in order.
    init(_ statements: [String], over connections: [PostgreSQLConnection]) {
        self.statements = statements
        window = connections.count + 1
        running = connections.count
        for connection in connections {
            let box = ConnectionBox(connection)
            let thread = Thread { [self] in work(box.connection) }
            thread.name = "copy"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// Hands a connection to its thread, which alone uses it until the thread ends.
    private final class ConnectionBox: @unchecked Sendable {
        let connection: PostgreSQLConnection
        init(_ connection: PostgreSQLConnection) { self.connection = connection }
    }

    // MARK: The threads

    private func work(_ connection: PostgreSQLConnection) {
        do throws(BackupError) {
            while let part = take() { try read(part, over: connection) }
        } catch {
            condition.withLock { failure = failure ?? error }
        }
        condition.withLock {
            running -= 1
            condition.broadcast()
        }
    }

    private func take() -> Int? {
        condition.withLock {
            while nextPart < statements.count, nextPart >= current + window, !isStopped, failure == nil {
                condition.wait()
            }
            guard nextPart < statements.count, !isStopped, failure == nil else { return nil }
            defer { nextPart += 1 }
            parts[nextPart] = Part()
            return nextPart
        }
    }

    private func read(_ part: Int, over connection: PostgreSQLConnection) throws(BackupError) {
        try connection.beginCopyOut(statements[part])
        var chunk = condition.withLock { spare.popLast() } ?? Chunk()
        while let row = try connection.nextCopyRow() {
            if chunk.count > 0, chunk.count + row.count > PostgreSQLRangeReader.chunkSize {
                chunk = put(chunk, part)
            }
            chunk.append(row)
            row.free()
        }
        _ = put(chunk, part)
        condition.withLock {
            parts[part]?.isComplete = true
            condition.broadcast()
        }
    }

    /// Puts a full chunk behind the others of its part and returns an empty one.
    private func put(_ chunk: Chunk, _ part: Int) -> Chunk {
        condition.withLock {
            while (parts[part]?.chunks.count ?? 0) >= PostgreSQLRangeReader.largestQueue, !isStopped {
                condition.wait()
            }
            parts[part]?.chunks.append(chunk)
            condition.broadcast()
            return spare.popLast() ?? Chunk()
        }
    }

    // MARK: The consumer

    /// The next row, which is there until the next call; nil behind the last one.
    @inline(__always)
    func next() throws(BackupError) -> PostgreSQLCopyRow? {
        while true {
            if let chunk, offset < chunk.count {
                let start = chunk.bytes + offset
                guard let end = memchr(start, 0x0A, chunk.count - offset) else {
                    throw BackupError(.internal, "a row of COPY has no end; please report this")
                }
                let count = UnsafeRawPointer(end) - UnsafeRawPointer(start) + 1
                offset += count
                let bytes = UnsafeMutableRawPointer(start).assumingMemoryBound(to: CChar.self)
                return PostgreSQLCopyRow(bytes: bytes, count: count, isOwned: false)
            }
            guard try nextChunk() else { return nil }
        }
    }

    private func nextChunk() throws(BackupError) -> Bool {
        offset = 0
        let outcome: Result<Chunk?, BackupError> = condition.withLock {
            if let chunk, chunk.isOrdinary, spare.count < window * 2 {
                chunk.count = 0
                spare.append(chunk)
            }
            while true {
                if let failure { return .failure(failure) }
                if current == statements.count { return .success(nil) }
                if let part = parts[current], let first = part.chunks.first {
                    parts[current]?.chunks.removeFirst()
                    condition.broadcast()
                    return .success(first)
                }
                if parts[current]?.isComplete == true {
                    parts[current] = nil
                    current += 1
                    condition.broadcast()
                } else {
                    condition.wait()
                }
            }
        }
        chunk = try outcome.get()
        return chunk != nil
    }

    /// Ends the threads and waits for them. Their connections must have been told to stop where not all was read.
    func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
            while running > 0 { condition.wait() }
        }
    }
}
