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

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let console = global.console
        try console.finish(await global.engine(console).rebuildCatalog(fromDirectory: fromDir))
    }
}
