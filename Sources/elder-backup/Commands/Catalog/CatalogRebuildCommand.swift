import ArgumentParser
import BackupEngine

struct CatalogRebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Enter the archives of a directory or of a store into the catalog.",
        discussion: """
            What the catalog knows already stays as it is. Backups that another
            installation has put into the store are taken over where they are the only
            ones there, or with --installation; retention may then delete them.

            EXAMPLES:
              elder-backup catalog rebuild --from-dir /var/lib/elder/backups
              elder-backup catalog rebuild --from-s3
            """
    )

    @Option(help: ArgumentHelp("The directory with archives and manifests.", valueName: "dir"), completion: .directory)
    var fromDir: String?

    @Flag(name: .customLong("from-s3"), help: "From the primary store, by the manifests there.")
    var fromS3 = false

    @Option(
        help: ArgumentHelp("Take over what this installation has put into the store.", valueName: "uuid"))
    var installation: String?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (fromDir != nil) != fromS3 else { throw ValidationError("Give either --from-dir or --from-s3.") }
        guard installation == nil || fromS3 else { throw ValidationError("--installation goes with --from-s3.") }
    }

    func run() async throws {
        let console = output.console
        let engine = try await location.engine(console)
        let response: CatalogRebuildResponse
        if let fromDir {
            response = try await engine.rebuildCatalog(fromDirectory: fromDir)
        } else {
            response = try await engine.rebuildCatalogFromStore(installation: installation)
        }
        console.warn(response.warnings)
        try console.finish(response)
    }
}
