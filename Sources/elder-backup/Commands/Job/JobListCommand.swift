import ArgumentParser
import BackupCore
import BackupEngine

struct JobListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List jobs.",
        discussion: """
            EXAMPLES:
              elder-backup job list
              elder-backup job list --enabled --json
            """
    )

    enum Choice: String, EnumerableFlag {
        case enabled, disabled
    }

    @Flag(help: "Only jobs that are.")
    var choice: Choice?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var jobs: [BackupJob]
        var count: Int
    }

    func run() async throws {
        let console = output.console
        let jobs = try await location.engine(console).jobs(enabled: choice.map { $0 == .enabled })
        try console.finish(Response(jobs: jobs, count: jobs.count)) {
            jobs.isEmpty ? "no jobs" : JobReport.text(jobs)
        }
    }
}
