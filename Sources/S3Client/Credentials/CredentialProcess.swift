internal import Foundation
internal import Synchronization

/// Runs the program that a profile names in `credential_process` and takes what it writes. What that is, and what it
/// says on standard error, is never shown: both may hold secrets.
struct CredentialProcess: Sendable, Redacted {
    static let maximumOutput = 64 << 10

    var words: [String]
    var environment: [String: String]
    /// In seconds.
    var limit: Double = 60

    private struct Failure: Error {
        var reason: String
    }

    /// - Parameter name: for a person, in errors.
    func output(_ name: String) async throws(S3Error) -> [UInt8] {
        let cancelled = Flag()
        let result: Result<[UInt8], Failure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread of its own: it may wait for a minute.
                Thread.detachNewThread {
                    continuation.resume(returning: Result { () throws(Failure) in try run(cancelled) })
                }
            }
        } onCancel: {
            cancelled.set()
        }
        switch result {
        case .success(let output): return output
        case .failure(let failure):
            if cancelled.isSet { throw S3Error(.cancelled, "cancelled while credentials were fetched") }
            throw S3Error(.credentials, "\(name) \(failure.reason)")
        }
    }

    private final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    private func run(_ cancelled: Flag) throws(Failure) -> [UInt8] {
        guard let name = words.first, let path = executable(name) else {
            throw Failure(reason: "names a program that is not found; write its full path")
        }
        guard let child = ChildProcess(path, words, environment) else { throw Failure(reason: "cannot start \(path)") }
        let bytes: [UInt8]
        do { bytes = try read(child, until: .now + .milliseconds(Int64(limit * 1000)), cancelled) } catch {
            child.stop()
            throw error
        }
        switch child.ending() {
        case .status(0): return bytes
        case .status(let status):
            throw Failure(reason: "ended with status \(status); run it by hand to see why")
        case .signal(let signal): throw Failure(reason: "ended with signal \(signal); run it by hand to see why")
        case nil: throw tooLong
        }
    }

    private var tooLong: Failure { Failure(reason: "took longer than \(Int(limit.rounded(.up))) s") }

    /// Until the program has ended and what it wrote is read; those that it left behind are not waited for.
    private func read(
        _ child: ChildProcess, until end: ContinuousClock.Instant, _ cancelled: Flag
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var isOpen = true
        while true {
            guard !cancelled.isSet, .now < end else { throw tooLong }
            let hasEnded = child.ending() != nil
            if !isOpen {
                if hasEnded { return bytes }
                child.pause()
                continue
            }
            switch child.output() {
            case .nothing:
                if hasEnded { return bytes }
            case .closed: isOpen = false
            case .bytes(let more): bytes += more
            }
            if bytes.count > Self.maximumOutput {
                throw Failure(reason: "writes more than \(Self.maximumOutput) bytes")
            }
        }
    }

    private func executable(_ name: String) -> String? {
        if name.contains("/") { return FileManager.default.isExecutableFile(atPath: name) ? name : nil }
        return (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
