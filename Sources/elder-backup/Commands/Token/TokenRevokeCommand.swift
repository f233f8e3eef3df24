import ArgumentParser
import BackupCore
import BackupEngine

struct TokenRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Make a token worthless, at once and for good.",
        discussion: """
            EXAMPLES:
              elder-backup token revoke ci
              elder-backup token revoke 3 --json
            """
    )

    @Argument(help: "The token's name or number.")
    var token: String

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let token = try await location.engine(console).revokeToken(token)
        try console.finish(token) { "revoked token \(token.id), \(Printable.line(token.name))" }
    }
}
