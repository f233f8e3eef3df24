import ArgumentParser
import BackupCore
import BackupEngine

struct JobDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a job; its backups stay, unless told otherwise.",
        discussion: """
            With --backups delete the job's backups go first, with their copies in
            stores; where one cannot be deleted, it stays, and so does the job.
            Asks first on a terminal; elsewhere --yes is needed.

            EXAMPLES:
              elder-backup job delete nightly
              elder-backup job delete 3 --yes
              elder-backup job delete 3 --backups delete --yes
            """
    )

    @Argument(help: "The job's name or number.")
    var job: String

    @Option(help: ArgumentHelp("What becomes of its backups: keep or delete.", valueName: "fate"))
    var backups = JobRemoval.Backups.keep

    @OptionGroup var consent: ConsentOptions

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var success = true
        var deleted: BackupJob
        var deletedBackups: Int

        private enum CodingKeys: String, CodingKey {
            case success, deleted
            case deletedBackups = "deleted_backups"
        }
    }

    func run() async throws {
        let console = output.console
        let engine = try await location.engine(console)
        let found = try await engine.job(JobReference(job))
        let fate = backups == .delete ? " and all its backups for ever" : ""
        try consent.demand("Delete job \(found.id), \(Printable.line(found.name))\(fate)?")
        let removal = try await engine.deleteJob(JobReference("\(found.id)"), backups: backups)
        try console.finish(Response(deleted: found, deletedBackups: removal.deletedBackups)) {
            let count = Printable.count(removal.deletedBackups, "backup")
            let rest = backups == .delete ? ", with \(count), \(Printable.bytes(removal.freedBytes))" : ""
            return "deleted job \(found.id), \(Printable.line(found.name))\(rest)"
        }
    }
}

extension JobRemoval.Backups: ExpressibleByArgument {}
