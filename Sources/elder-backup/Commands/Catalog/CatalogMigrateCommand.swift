import ArgumentParser
import BackupEngine

struct CatalogMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the catalog's tables up to date.",
        discussion: """
            Adds what is missing and keeps what is there; backups of an existing catalog
            go on working. Secrets that stand in it in plain text are encrypted, and the
            file is written anew so that nothing is left of them.

            EXAMPLES:
              elder-backup catalog migrate
              elder-backup catalog migrate --catalog sqlite:///srv/elder/elder.sqlite
            """
    )

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var success = true
        var applied: [String]
    }

    func run() async throws {
        let console = output.console
        let configuration = try location.configuration(console)
        let applied = try await BackupEngine.migrateCatalog(configuration: configuration.engine)
        try console.finish(Response(applied: applied)) {
            applied.isEmpty ? "the catalog is up to date" : applied.map { "applied \($0)" }.joined(separator: "\n")
        }
    }
}
