internal import BackupCore
internal import Foundation
internal import Glibc
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// A program that is run with a limit of time, in a process group of its own, so that what it started ends with it.
///
/// By swift-subprocess. What it prints is read to the end and only the last of it is kept. A program that leaves something
/// behind which holds its output open has not ended.
struct ChildCommand {
    struct Outcome: Sendable {
        /// What became of it, to end a sentence with; nil where it ended with status 0.
        var fault: String?
        /// The last of what it printed, on standard output and standard error.
        var output: String
    }

    /// In bytes.
    private static let longestOutput = 16 << 10
    /// For a group that was told to end.
    private static let grace = Duration.seconds(2)

    var path: String
    var arguments: [String]
    var environment: [String: String]
    var input: [UInt8] = []
    var limit: Duration

    private final class Shared: Sendable {
        struct State {
            var group: pid_t?
            var isOver = false
            var tail: [UInt8] = []
        }
        let state = Mutex(State())

        func append(_ bytes: [UInt8]) {
            state.withLock { state in
                state.tail += bytes
                let surplus = state.tail.count - ChildCommand.longestOutput
                if surplus > 0 { state.tail.removeFirst(surplus) }
            }
        }

        /// Signals the whole group, unless it is over.
        func signal(_ number: Int32) {
            state.withLock { state in
                if let group = state.group, !state.isOver { kill(-group, number) }
            }
        }

        var isOver: Bool { state.withLock { $0.isOver } }
        var output: String { state.withLock { String(decoding: $0.tail, as: UTF8.self) } }
    }

    private enum Ending {
        case executed(fault: String?)
        case late
        case stopped
    }

    /// Runs it to its end. Cancelling the task ends it.
    func run() async -> Outcome {
        let shared = Shared()
        return await withTaskGroup(of: Ending.self) { group in
            group.addTask { .executed(fault: await execute(shared)) }
            group.addTask { await endInTime(shared) }
            var fault: String?
            // The first to tell is right: what is ended for its slowness ends by a signal afterwards.
            switch await group.next() {
            case .executed(let told): fault = told
            case .late: fault = "took longer than \(limit.components.seconds) s and was ended"
            case .stopped, nil: fault = "was cancelled"
            }
            group.cancelAll()
            await group.waitForAll()
            return Outcome(fault: fault, output: shared.output)
        }
    }

    private func endInTime(_ shared: Shared) async -> Ending {
        do {
            try await Task.sleep(for: limit)
        } catch {
            shared.signal(SIGKILL)
            return .stopped
        }
        shared.signal(SIGTERM)
        let end = ContinuousClock.now + Self.grace
        while !shared.isOver, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
        shared.signal(SIGKILL)
        return .late
    }

    private func execute(_ shared: Shared) async -> String? {
        var options = PlatformOptions()
        // A group of its own, whose number is its process's.
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
        var variables: [Environment.Key: String] = [:]
        for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
        do {
            let result = try await Subprocess.run(
                .path(FilePath(path)), arguments: Arguments(arguments), environment: .custom(variables),
                platformOptions: options, input: .array(input), output: .sequence, error: .combinedWithOutput
            ) { execution in
                shared.state.withLock { $0.group = execution.processIdentifier.value }
                for try await buffer in execution.standardOutput {
                    shared.append(buffer.withUnsafeBytes { Array($0) })
                }
            }
            shared.state.withLock { $0.isOver = true }
            return result.terminationStatus.isSuccess ? nil : "ended with \(result.terminationStatus)"
        } catch {
            shared.signal(SIGKILL)
            shared.state.withLock { $0.isOver = true }
            return Task.isCancelled ? "was cancelled" : "could not be run: \(error)"
        }
    }
}

extension ChildCommand {
    /// What such a program gets of our environment. Named one by one, since a list of what is secret is never complete.
    static func cleanEnvironment() -> [String: String] {
        let plain: Set<String> = [
            "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR",
        ]
        let all = ProcessInfo.processInfo.environment
        var kept = all.filter { plain.contains($0.key) || $0.key.hasPrefix("LC_") || $0.key.hasPrefix("HOOK_") }
        if kept["PATH"] == nil { kept["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" }
        return kept
    }
}
