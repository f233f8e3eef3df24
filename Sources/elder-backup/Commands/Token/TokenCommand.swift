import ArgumentParser

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Work on API tokens: who may call the service, and what for.",
        discussion: """
            A viewer looks at jobs and backups; an operator also runs, verifies, copies
            and downloads them; an admin also changes, deletes and restores.

            EXAMPLES:
              elder-backup token create --name ci --role operator --expires 90d
              elder-backup token list
              elder-backup token revoke ci
            """,
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self]
    )
}
