import ArgumentParser
import BackupCore
import BackupEngine
import FoundationEssentials

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End a running backup, whichever process runs it.",
        discussion: """
            Leaves an order in the backup directory, which the running process looks
            for several times a second, be it a command or the service. Waits until the
            run has ended; status 5 where it has not by then.

            EXAMPLES:
              elder-backup cancel 12
              elder-backup cancel 12 --wait 0
            """
    )

    @Argument(help: "The backup: its number or its file name.")
    var backup: String

    @Option(help: ArgumentHelp("How long to wait for the end of the run; 0: not at all.", valueName: "time"))
    var wait = "60s"

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var success = true
        /// Whether the run has ended.
        var ended: Bool
        var backup: BackupRecord
    }

    func validate() throws {
        guard Quantity.duration(wait) != nil else { throw ValidationError("--wait must be a time such as 60s.") }
    }

    func run() async throws {
        let console = output.console
        let engine = try await location.engine(console)
        let user = ProcessInfo.processInfo.userName
        var record = try await engine.cancel(
            try BackupReference(argument: backup), by: "\(user.isEmpty ? "somebody" : user) on the command line")
        let patience = Quantity.duration(wait) ?? .zero
        let end = ContinuousClock.now + patience
        while record.status == .running, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(200))
            record = try await engine.record(record.id)
        }
        let ended = record.status != .running
        guard ended || patience == .zero else {
            throw BackupError(
                .locked,
                "backup \(record.id) was told to stop, and still runs after \(wait): what it waits for holds it up; "
                    + "`elder-backup show \(record.id)` tells when it has ended")
        }
        try console.finish(Response(ended: ended, backup: record)) {
            ended
                ? "backup \(record.id) is \(record.status.rawValue): \(Printable.line(record.errorMessage ?? "complete"))"
                : "backup \(record.id) was told to stop"
        }
    }
}
