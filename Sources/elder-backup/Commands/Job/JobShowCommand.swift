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

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let console = global.console
        try console.finish(await global.engine(console).job(JobReference(job)))
    }
}
