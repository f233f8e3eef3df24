import ArgumentParser

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "Work on the catalog of jobs and backups.",
        discussion: """
            EXAMPLES:
              elder-backup catalog migrate
              elder-backup catalog rebuild --from-dir /var/lib/elder/backups
            """,
        subcommands: [CatalogMigrateCommand.self, CatalogRebuildCommand.self]
    )
}
