import ArgumentParser
import BackupCore

/// How a job's runs go.
struct JobRunArguments: ParsableArguments {
    @Option(help: ArgumentHelp("End a run that takes longer; 0: no limit.", valueName: "time"))
    var timeout: String?

    @Option(help: ArgumentHelp("End an attempt without progress for so long; 0: no limit.", valueName: "time"))
    var stallTimeout: String?

    @Option(help: ArgumentHelp("Begin a run that failed anew, so many times (0 to 10).", valueName: "n"))
    var retries: Int?

    @Option(help: ArgumentHelp("Run this in a shell before the snapshot; \"\": nothing.", valueName: "command"))
    var preCommand: String?

    @Option(help: ArgumentHelp("Run this after each run, however it ended; \"\": nothing.", valueName: "command"))
    var postCommand: String?

    @Option(help: ArgumentHelp("How long either command may take; 0: 5 minutes.", valueName: "time"))
    var hookTimeout: String?

    // Everyone on the machine can read an argument, and who knows the address can tell it lies.
    @Option(
        help: ArgumentHelp(
            "The variable that holds the address that is told of each run, instead of $BACKUP_PING_URL; \"\": that one.",
            valueName: "name"))
    var pingURLEnv: String?

    func validate() throws {
        for (name, text) in [
            ("--timeout", timeout), ("--stall-timeout", stallTimeout), ("--hook-timeout", hookTimeout),
        ] {
            guard let text else { continue }
            guard let span = Quantity.duration(text), span.components.attoseconds == 0 else {
                throw ValidationError("\(name) must be a time of whole seconds, such as 90s, 30m or 2h.")
            }
        }
    }

    func change() throws(BackupError) -> JobRunOptionsChange {
        var change = JobRunOptionsChange()
        change.timeoutSeconds = seconds(timeout)
        change.stallSeconds = seconds(stallTimeout)
        change.hookSeconds = seconds(hookTimeout)
        change.retries = FieldChange(retries)
        change.preCommand = text(preCommand)
        change.postCommand = text(postCommand)
        switch text(pingURLEnv) {
        case .keep: break
        case .clear: change.pingURL = .clear
        case .set(let name): change.pingURL = .set(try SecretInput.variable(name, option: "--ping-url-env"))
        }
        return change
    }

    private func seconds(_ text: String?) -> FieldChange<Int> {
        guard let span = text.flatMap(Quantity.duration) else { return .keep }
        return span == .zero ? .clear : .set(Int(span.components.seconds))
    }

    private func text(_ value: String?) -> FieldChange<String> {
        value.map { $0.isEmpty ? .clear : .set($0) } ?? .keep
    }
}
