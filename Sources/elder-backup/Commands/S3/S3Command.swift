import ArgumentParser

struct S3Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "s3",
        abstract: "Look after the stores that backups are copied to.",
        discussion: """
            EXAMPLES:
              elder-backup s3 check
            """,
        subcommands: [S3CheckCommand.self])
}
