import ArgumentParser
import BackupEngine

struct CatalogRebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Enter the archives of a directory into the catalog.",
        discussion: """
            What the catalog knows already stays as it is.

            EXAMPLES:
              elder-backup catalog rebuild --from-dir /var/lib/elder/backups
            """
    )

    @Option(help: ArgumentHelp("The directory with archives and manifests.", valueName: "dir"), completion: .directory)
    var fromDir: String

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        try console.finish(await location.engine(console).rebuildCatalog(fromDirectory: fromDir))
    }
}
