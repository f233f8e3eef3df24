import ArgumentParser
import BackupEngine

struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Delete backups that no rule of their job keeps.",
        discussion: """
            A backup's age is counted from the newest good backup of its job, not from
            today: when backups stop, nothing expires. Backups of other tables, or of
            another database, are planned by themselves: of each kind the newest good one
            is never deleted, nor the newest verified one. Copies in stores go with the backup; what cannot be deleted
            there is tried again by the next run, and the status is 1.

            EXAMPLES:
              elder-backup prune --dry-run
              elder-backup prune --job nightly --json
            """
    )

    @Option(help: ArgumentHelp("Only backups of this job, by name or number.", valueName: "job"))
    var job: String?

    @Flag(help: "Delete nothing; tell what would be deleted, and why the rest stays.")
    var dryRun = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let engine = try await location.engine(console)
        let response = try await engine.prune(job: job.map { JobReference($0) }, dryRun: dryRun)
        try console.finish(response) { text(response) }
        if response.failed > 0 { throw ExitCode(1) }
    }

    private func text(_ response: PruneResponse) -> String {
        let rows = response.backups.map { item in
            [
                "\(item.backupID)", item.keep ? "keep" : "delete", Printable.line(item.filename),
                Printable.line(item.reason),
            ]
        }
        let table = TextTable(columns: ["id", "", "file", "reason"], rows: rows, rightAligned: [0])
        let verb = response.dryRun ? "would delete" : "deleted"
        let summary =
            "\(verb) \(Printable.count(response.deleted, "backup")) (\(Printable.bytes(response.freedBytes))), "
            + "kept \(Printable.count(response.kept))"
        return rows.isEmpty ? summary : table.text + "\n" + summary
    }
}
