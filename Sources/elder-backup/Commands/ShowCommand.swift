import ArgumentParser
import BackupEngine

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything known about a backup, and what it does not hold.",
        discussion: """
            The ledger has an entry for every object of the database: stored,
            recomputed, excluded (by whom), or not supported (why).

            EXAMPLES:
              elder-backup show 12
              elder-backup show 12 --json
            """
    )

    @Argument(help: "The backup: its number, its file name, or a path to an archive.")
    var backup: String

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let reference = try BackupReference(argument: backup)
        try console.finish(await location.engine(console).show(reference))
    }
}
