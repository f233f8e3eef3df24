internal import BackupCore
internal import Foundation

/// Reads the parts of one table over several connections at once, and hands their rows on in order.
///
/// Each connection has a thread of its own, which takes the next part as soon as it is done with one. How far they run
/// ahead of what was handed on is bounded, in parts and in bytes of each part.
final class PostgreSQLRangeReader: @unchecked Sendable {
    private struct Part {
        var chunks: [PostgreSQLCopyChunk] = []
        /// Of all chunks together.
        var size = 0
        var isComplete = false
    }

    /// A part in which so many bytes wait takes no more.
    private static let largestQueue = 1024 * 1024

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
    private var spare: [PostgreSQLCopyChunk] = []

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
        var isOver = false
        while !isOver {
            let used = condition.withLock { spare.popLast() }
            let chunk = if let used { used } else { try PostgreSQLCopyChunk() }
            isOver = try !chunk.fill(from: connection)
            put(chunk, part, isLast: isOver)
        }
    }

    /// Puts a chunk behind the others of its part; waits for room.
    private func put(_ chunk: PostgreSQLCopyChunk, _ part: Int, isLast: Bool) {
        condition.withLock {
            while (parts[part]?.size ?? 0) >= PostgreSQLRangeReader.largestQueue, !isStopped { condition.wait() }
            parts[part]?.chunks.append(chunk)
            parts[part]?.size += chunk.size
            parts[part]?.isComplete = isLast
            // Nobody waits for a part that is not next.
            if part == current { condition.broadcast() }
        }
    }

    // MARK: The consumer

    /// The next rows; nil behind the last ones.
    ///
    /// - Parameter used: the chunk that was given before, whose rows are of no more use.
    func next(used: PostgreSQLCopyChunk?) throws(BackupError) -> PostgreSQLCopyChunk? {
        let outcome: Result<PostgreSQLCopyChunk?, BackupError> = condition.withLock {
            if let used, used.isOrdinary, spare.count < window * 2 { spare.append(used) }
            while true {
                if let failure { return .failure(failure) }
                if current == statements.count { return .success(nil) }
                if let part = parts[current], let first = part.chunks.first {
                    parts[current]?.chunks.removeFirst()
                    parts[current]?.size -= first.size
                    // Only who found no room waits.
                    if part.size >= PostgreSQLRangeReader.largestQueue { condition.broadcast() }
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
        return try outcome.get()
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
