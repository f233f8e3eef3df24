import ArgumentParser
import BackupCore
import CGlibc
import Glibc

@main
struct Main {
    /// Smaller blocks are cheaper to keep; the buffers for rows, members and parts are larger. In bytes.
    private static let largestKeptBlock: Int32 = 128 * 1024

    static func main() async {
        _ = eb_return_large_blocks(largestKeptBlock)
        // A closed pipe is an error of `write`, so that a verb can clean up first.
        signal(SIGPIPE, SIG_IGN)
        let run = Task { await Main.execute(Array(CommandLine.arguments.dropFirst())) }
        TerminationSignals.watch { run.cancel() }
        let status = await run.value
        if status != 0, let signal = TerminationSignals.received { exit(128 + signal) }
        exit(status)
    }

    /// Runs a command and tells of its failure; the exit status.
    private static func execute(_ arguments: [String]) async -> Int32 {
        let console = Console(json: arguments.prefix { $0 != "--" }.contains("--json"))
        do {
            var command = try ElderBackup.parseAsRoot(arguments)
            try await AuditActor.$current.withValue(CommandUser.actor) {
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
            return 0
        } catch let error as BackupError {
            console.fail(error)
            return error.exitStatus
        } catch is CancellationError {
            console.fail(BackupError(.cancelled, "cancelled"))
            return 1
        } catch {
            return other(error, console)
        }
    }

    /// What the argument parser throws: requests for help, usage errors, and the status of a command that has said
    /// all there is to say.
    private static func other(_ error: any Error, _ console: Console) -> Int32 {
        if let status = error as? ExitCode { return status.rawValue }
        let status = ElderBackup.exitCode(for: error)
        let text = ElderBackup.fullMessage(for: error)
        if status == .success {
            do throws(BackupError) {
                try Descriptor.output.write(text.hasSuffix("\n") ? text : text + "\n")
                return 0
            } catch {
                console.fail(error)
                return error.exitStatus
            }
        }
        guard status == .validationFailure else {
            console.fail(BackupError(.internal, "\(error)"))
            return 1
        }
        let advice = text.split(separator: "\n").last { $0.contains("--help") }.map { "s" + trimmed($0).dropFirst() }
        let message = trimmed(ElderBackup.message(for: error)[...])
        console.fail(BackupError(.usage, advice.map { "\(message) (\($0))" } ?? message))
        return BackupError(.usage, "").exitStatus
    }

    /// The parser's advice reads `See 'elder-backup list --help' for more information.`
    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0.isWhitespace }
        while let last = text.last, last.isWhitespace || last == "." { text.removeLast() }
        return String(text)
    }
}
