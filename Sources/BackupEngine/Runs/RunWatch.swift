internal import BackupCore
internal import BackupFiles
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Ends a backup that takes longer than its job allows, makes no progress, or is told to stop by another process. A thread
/// of its own, since it looks for a file, and the run's thread may be held up by a database.
final class RunWatch: Sendable {
    private struct State {
        var progress = ContinuousClock.now
        /// Of the attempt that goes on; nil where none does.
        var attempt: Cancellation?
    }

    private static let interval = DispatchTimeInterval.milliseconds(250)

    private let options: JobRunOptions
    private let cancellation: Cancellation
    private let orderPath: String
    private let started = ContinuousClock.now
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - cancellation: of the whole run.
    ///   - order: the file that tells the run to stop.
    init(_ options: JobRunOptions, _ cancellation: Cancellation, order: String) {
        self.options = options
        self.cancellation = cancellation
        orderPath = order
    }

    func start() { BlockingThread.start(named: "watch") { self.watch() } }

    func end() {
        ended.signal()
        unlink(orderPath)
    }

    /// Something was done.
    func noteProgress() { state.withLock { $0.progress = .now } }

    /// Begins an attempt, which is cancelled by itself where it makes no progress.
    func beginAttempt() -> Cancellation {
        let attempt = Cancellation(parent: cancellation)
        state.withLock { state in
            state.progress = .now
            state.attempt = attempt
        }
        return attempt
    }

    /// Until the next attempt there is no progress to be made.
    func endAttempt() { state.withLock { $0.attempt = nil } }

    private func watch() {
        while ended.wait(timeout: .now() + Self.interval) == .timedOut {
            if let seconds = options.timeoutSeconds, ContinuousClock.now - started > .seconds(seconds) {
                cancellation.cancel(
                    BackupError(
                        .cancelled,
                        "the run took longer than its limit of \(seconds) s (timeout_seconds of the job) and was ended")
                )
            }
            if let name = CancelOrder.name(at: orderPath) {
                cancellation.cancel(BackupError(.cancelled, "cancelled by \(name)"))
            }
            if let seconds = options.stallSeconds { endStalled(seconds) }
        }
    }

    private func endStalled(_ seconds: Int) {
        let stalled = state.withLock { state in
            ContinuousClock.now - state.progress > .seconds(seconds) ? state.attempt : nil
        }
        stalled?.cancel(
            BackupError(
                .source, "the backup made no progress for \(seconds) s (stall_seconds of the job) and was ended"))
    }
}

/// A file by which one process tells the run of another to stop: it reaches whoever shares the backup directory.
enum CancelOrder {
    static func path(directory: String, backupID: Int64) -> String { "\(directory)/.locks/backup-\(backupID).cancel" }

    /// - Throws: `storage`.
    static func write(_ name: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw BackupError.system("write", path: path, errno: errno) }
        defer { close(descriptor) }
        let text = Array(name.utf8.prefix(200))
        guard Glibc.write(descriptor, text, text.count) == text.count else {
            throw BackupError.system("write", path: path, errno: errno)
        }
    }

    /// Who gave the order; nil where there is none.
    static func name(at path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 200, alignment: 1) { buffer in
            let count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            return text.unicodeScalars.contains { $0.value < 0x20 } || text.isEmpty ? "another process" : text
        }
    }
}
