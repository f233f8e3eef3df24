import ArgumentParser
import BackupCore
import BackupEngine

struct JobUpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change a job; what is not given stays as it is.",
        discussion: """
            EXAMPLES:
              elder-backup job update nightly --retention-days 30
              elder-backup job update nightly --retention-days 0 --keep-daily 7
              elder-backup job update nightly --name weekly --disable
              elder-backup job update nightly --s3-bucket vault --s3-enabled true
            """
    )

    enum Switch: String, EnumerableFlag {
        case enable, disable
    }

    @Argument(help: "The job's name or number.")
    var job: String

    @Option(help: ArgumentHelp("A new name.", valueName: "name"))
    var name: String?

    @Flag(help: "Whether the job may run.")
    var state: Switch?

    @OptionGroup var options: JobOptions

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let name { try JobName.check(name) }
    }

    func run() async throws {
        let console = output.console
        var change = try options.change()
        change.name = name
        change.enabled = state.map { $0 == .enable }
        guard change != BackupJobChange() else {
            throw BackupError(
                .usage, "nothing to change: give at least one option (see 'elder-backup job update --help')")
        }
        let job = try await location.engine(console).updateJob(JobReference(job), change)
        try console.finish(job) {
            (["changed job \(job.id), \(Printable.line(job.name))"] + [JobReport.fault(job)].compactMap { $0 })
                .joined(separator: "\n")
        }
    }
}
