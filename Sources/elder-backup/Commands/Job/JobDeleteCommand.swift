import ArgumentParser
import BackupCore
import BackupEngine

struct JobDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a job; its backups stay.",
        discussion: """
            Asks first on a terminal; elsewhere --yes is needed.

            EXAMPLES:
              elder-backup job delete nightly
              elder-backup job delete 3 --yes
            """
    )

    @Argument(help: "The job's name or number.")
    var job: String

    @OptionGroup var consent: ConsentOptions

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var success = true
        var deleted: BackupJob
    }

    func run() async throws {
        let console = output.console
        let engine = try await location.engine(console)
        let found = try await engine.job(JobReference(job))
        try consent.demand("Delete job \(found.id), \(Printable.line(found.name))?")
        _ = try await engine.deleteJob(JobReference("\(found.id)"))
        try console.finish(Response(deleted: found)) { "deleted job \(found.id), \(Printable.line(found.name))" }
    }
}
