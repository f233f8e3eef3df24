import ArgumentParser
import BackupCore
import BackupEngine

struct TokenListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List tokens, those that are no longer valid too.",
        discussion: """
            EXAMPLES:
              elder-backup token list
              elder-backup token list --json
            """
    )

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var tokens: [AccessToken]
        var count: Int
    }

    func run() async throws {
        let console = output.console
        let tokens = try await location.engine(console).tokens()
        try console.finish(Response(tokens: tokens, count: tokens.count)) {
            tokens.isEmpty ? "no tokens" : text(tokens, at: Timestamp.now())
        }
    }

    private func text(_ tokens: [AccessToken], at now: Timestamp) -> String {
        func time(_ time: Timestamp?) -> String { time.map { String($0.sql.prefix(19)) } ?? "never" }
        let rows = tokens.map { token in
            let state = token.isValid(at: now) ? "valid" : token.revokedAt == nil ? "expired" : "revoked"
            return [
                "\(token.id)", Printable.line(token.name), token.role.rawValue, state, time(token.expiresAt),
                time(token.lastUsedAt),
            ]
        }
        return TextTable(
            columns: ["id", "name", "role", "", "expires (UTC)", "last used (UTC)"], rows: rows, rightAligned: [0]
        ).text
    }
}
