import ArgumentParser
import BackupCore
import BackupEngine

struct JobCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a job.",
        discussion: """
            EXAMPLES:
              elder-backup job create nightly --source sqlite:a.sqlite --retention-days 14
              elder-backup job create small --tables users,orders --disabled
              elder-backup job create app --timeout 2h --retries 3
            """
    )

    @Argument(help: "The job's name.")
    var name: String

    @OptionGroup var options: JobOptions

    @Flag(help: "Make it, but do not let it run yet.")
    var disabled = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        try JobName.check(name)
    }

    func run() async throws {
        let console = output.console
        var change = try options.change()
        change.name = name
        // Before a catalog is made for it.
        _ = try change.retention.applied(to: RetentionPolicy(days: 1))
        _ = try change.options.applied(to: JobRunOptions())
        change.enabled = !disabled
        let job = try await location.engine(console).createJob(change)
        try console.finish(job) { "made job \(job.id), \(Printable.line(job.name))" }
    }
}
