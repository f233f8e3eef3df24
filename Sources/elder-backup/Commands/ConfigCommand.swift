import ArgumentParser
import BackupCore

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Work on the configuration.",
        discussion: """
            EXAMPLES:
              elder-backup config show
              elder-backup config rotate-key
            """,
        subcommands: [ConfigShowCommand.self, ConfigRotateKeyCommand.self]
    )
}

struct ConfigShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show every setting, its value and where it came from.",
        discussion: """
            Options come before the environment, the environment before the file .env in the working directory, and
            that before the defaults. Secrets are not shown.

            EXAMPLES:
              elder-backup config show
              BACKUP_MAX_ROW=64MiB elder-backup config show --json
            """
    )

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var settings: [SettingReport]
    }

    func run() async throws {
        let console = output.console
        let settings = try location.configuration(console, usesSource: true).settings
        try console.finish(Response(settings: settings)) {
            let rows = settings.map { [$0.name, Printable.line($0.value ?? "not set"), $0.origin] }
            return TextTable(columns: ["setting", "value", "from"], rows: rows).text
        }
    }
}
