internal import BackupCore
internal import Foundation
internal import Glibc
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// A program that is run with a limit of time, in a process group of its own, so that what it started ends with it,
/// whether it ends by itself or not. What has left the group (setsid(1)) goes on.
///
/// By swift-subprocess. What it prints is read until it has ended, and only the last of it is kept.
struct ChildCommand {
    struct Outcome: Sendable {
        /// What became of it, to go on with behind its name; nil where it ended with status 0.
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
    /// Whether what it leaves in its group when it has ended by itself is ended too.
    var endsRest = true

    private final class Shared: Sendable {
        struct State {
            var group: pid_t?
            var isOver = false
            var isLate = false
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

        /// Its time is up; false where it had ended just before.
        func noteLate() -> Bool {
            state.withLock { state in
                state.isLate = !state.isOver
                return state.isLate
            }
        }

        /// It has ended; its group, where it got that far.
        func noteEnd() -> pid_t? {
            state.withLock { state in
                state.isOver = true
                return state.group
            }
        }

        var isOver: Bool { state.withLock { $0.isOver } }
        var isLate: Bool { state.withLock { $0.isLate } }
        var output: String { state.withLock { String(decoding: $0.tail, as: UTF8.self) } }
    }

    /// Runs it to its end. Cancelling the task ends it.
    func run() async -> Outcome {
        let shared = Shared()
        let fault = await withTaskGroup(of: Void.self) { group in
            group.addTask { await endInTime(shared) }
            let fault = await execute(shared)
            group.cancelAll()
            return fault
        }
        // What is ended for its slowness ends by a signal, which is not what is to be told.
        let isLate = shared.isLate
        return Outcome(
            fault: isLate ? "took longer than \(limit.components.seconds) s and was ended" : fault,
            output: shared.output)
    }

    private func endInTime(_ shared: Shared) async {
        do {
            try await Task.sleep(for: limit)
        } catch {
            shared.signal(SIGKILL)
            return
        }
        guard shared.noteLate() else { return }
        shared.signal(SIGTERM)
        let end = ContinuousClock.now + Self.grace
        while !shared.isOver, ContinuousClock.now < end { await Self.pause() }
        shared.signal(SIGKILL)
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
            if let group = shared.noteEnd(), endsRest || shared.isLate { await endRest(group) }
            let status = result.terminationStatus
            return Task.isCancelled && !status.isSuccess ? "was cancelled" : Self.fault(status)
        } catch {
            shared.signal(SIGKILL)
            _ = shared.noteEnd()
            return Task.isCancelled ? "was cancelled" : "could not be run: \(error)"
        }
    }

    /// Ends what the program has left in its group: nothing else can have its number while anything is in it.
    private func endRest(_ group: pid_t) async {
        guard kill(-group, SIGTERM) == 0 else { return }
        let end = ContinuousClock.now + Self.grace
        while kill(-group, 0) == 0, ContinuousClock.now < end, !Task.isCancelled { await Self.pause() }
        kill(-group, SIGKILL)
    }

    /// A moment, in a cancelled task too.
    private static func pause() async { await Task { try? await Task.sleep(for: .milliseconds(20)) }.value }

    /// A status in words, behind the program's name; nil for 0.
    private static func fault(_ status: TerminationStatus) -> String? {
        switch status {
        case .exited(0): nil
        case .exited(let number): "ended with exit status \(number)"
        case .signaled(let number):
            "was ended by signal \(number)" + (signalNames[number].map { " (\($0))" } ?? "")
        }
    }

    private static let signalNames: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1",
        SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM",
        SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
    ]
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
