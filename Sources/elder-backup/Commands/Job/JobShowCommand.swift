import ArgumentParser
import BackupEngine

struct JobShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a job.",
        discussion: """
            EXAMPLES:
              elder-backup job show nightly
              elder-backup job show 1 --json
            """
    )

    @Argument(help: "The job's name or number.")
    var job: String

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        try console.finish(await location.engine(console).job(JobReference(job)))
    }
}
