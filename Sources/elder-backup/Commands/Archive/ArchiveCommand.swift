import ArgumentParser

struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Work on an archive file, without a catalog.",
        discussion: """
            EXAMPLES:
              elder-backup archive inspect FILE.json.gz
              elder-backup archive cat FILE.json.gz --table users
              elder-backup archive reindex FILE.json.gz
            """,
        subcommands: [ArchiveCatCommand.self, ArchiveInspectCommand.self, ArchiveReindexCommand.self]
    )
}
