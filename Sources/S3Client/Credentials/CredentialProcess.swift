internal import Foundation
internal import Glibc
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// Runs the program that a profile names in `credential_process`, by swift-subprocess, and takes what it writes. What
/// that is, and what it says on standard error, is never shown: both may hold secrets.
struct CredentialProcess: Sendable, Redacted {
    static let maximumOutput = 64 << 10

    var words: [String]
    var environment: [String: String]
    /// In seconds.
    var limit: Double = 60

    private enum Ending: Sendable {
        case over(TerminationStatus, [UInt8])
        case tooLong
        case tooMuch
        case notStarted
    }

    /// - Parameter name: for a person, in errors.
    func output(_ name: String) async throws(S3Error) -> [UInt8] {
        guard let program = words.first, let path = executable(program) else {
            throw S3Error(.credentials, "\(name) names a program that is not found; write its full path")
        }
        let ending = await endingInTime(path)
        if case .over(.exited(0), let output) = ending { return output }
        if Task.isCancelled { throw S3Error(.cancelled, "cancelled while credentials were fetched") }
        let reason =
            switch ending {
            case .over(.exited(let status), _): "ended with status \(status); run it by hand to see why"
            case .over(.signaled(let signal), _): "ended with signal \(signal); run it by hand to see why"
            case .tooMuch: "writes more than \(Self.maximumOutput) bytes"
            case .notStarted: "cannot start \(path)"
            case .tooLong, nil: "took longer than \(Int(limit.rounded(.up))) s"
            }
        throw S3Error(.credentials, "\(name) \(reason)")
    }

    /// Nil where the task was cancelled.
    private func endingInTime(_ path: String) async -> Ending? {
        await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await run(path) }
            group.addTask {
                do {
                    try await Task.sleep(for: .milliseconds(Int64(limit * 1000)))
                    return .tooLong
                } catch {
                    return nil
                }
            }
            // What comes behind the first is what cancelling made of the other.
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// What the program leaves behind, with its output open, is not waited for. Where it is ended, so is all that it
    /// started.
    private func run(_ path: String) async -> Ending {
        let group = Mutex<pid_t?>(nil)
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        var variables: [Environment.Key: String] = [:]
        // The library takes no names that begin with a digit; no program looks for them either.
        for (name, value) in environment where name.utf8.first.map({ !(0x30...0x39).contains($0) }) ?? false {
            variables[Environment.Key(stringLiteral: name)] = value
        }
        for _ in 0..<100 {
            do {
                let result = try await Subprocess.run(
                    .path(FilePath(path)), arguments: Arguments(Array(words.dropFirst())),
                    environment: .custom(variables), platformOptions: options, input: .none,
                    output: .bytes(limit: Self.maximumOutput), error: .discarded
                ) { execution in group.withLock { $0 = execution.processIdentifier.value } }
                if Task.isCancelled { end(group) }
                return .over(result.terminationStatus, result.standardOutput)
            } catch let error as SubprocessError where error.underlyingError == .textFileBusy {
                // One that was written a moment ago is busy as long as another thread's fork holds it open (execve(2)).
                guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return .notStarted }
            } catch {
                end(group)
                return (error as? SubprocessError)?.code == .outputLimitExceeded ? .tooMuch : .notStarted
            }
        }
        return .notStarted
    }

    /// What did not want to go with the program; nothing else can have the group's number while anything is in it.
    private func end(_ group: borrowing Mutex<pid_t?>) {
        if let group = group.withLock({ $0 }) { kill(-group, SIGKILL) }
    }

    private func executable(_ name: String) -> String? {
        if name.contains("/") { return FileManager.default.isExecutableFile(atPath: name) ? name : nil }
        return (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
