import ArgumentParser
import BackupCore
import BackupEngine

struct ReplicateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replicate",
        abstract: "Bring the replicas level with the backups.",
        discussion: """
            Copies every completed backup, or one, to each replica that has no copy of
            it: within the server where both are on one, else from the local file, else
            from store to store. Ends with status 3 when a copy could not be made.

            EXAMPLES:
              elder-backup replicate
              elder-backup replicate 12 --json
            """
    )

    @Argument(help: "The backup: its number or its file name; all when left out.")
    var backup: String?

    @Option(help: ArgumentHelp("Only backups of this job, by name or number.", valueName: "job"))
    var job: String?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard backup == nil || job == nil else { throw ValidationError("Give either a backup or --job.") }
    }

    func run() async throws {
        let console = output.console
        let reference = try backup.map { name throws(BackupError) in try BackupReference(argument: name) }
        let engine = try await location.engine(console)
        try CopiesReport.finish(await engine.replicate(reference, job: job.map { JobReference($0) }), console)
    }
}
