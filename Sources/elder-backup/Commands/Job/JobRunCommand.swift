import ArgumentParser
import BackupEngine

struct JobRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Take a backup as a job says.",
        discussion: """
            EXAMPLES:
              elder-backup job run nightly
              elder-backup job run 3 --json
            """
    )

    @Argument(help: "The job's name or number.")
    var job: String

    @Flag(help: "Read a private copy made first, so that writers of a rollback-journal database wait less.")
    var stage = false

    @Flag(help: "Do not copy the backup to a store now; upload --missing does it later.")
    var noUpload = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        var request = BackupRequest()
        request.job = JobReference(job)
        request.stage = stage
        request.uploads = !noUpload
        let engine = try await location.engine(console, forRunOf: request.job)
        try BackupReport.finish(await engine.backup(request), console)
    }
}
