import ArgumentParser
import BackupService

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask the service on this machine whether it is well.",
        discussion: """
            Asks where $BACKUP_LISTEN says, over TLS where the service has a certificate.
            Ends with status 0 where it answers that it is, with 1 otherwise. Needs no
            token.

            EXAMPLES:
              elder-backup health
              elder-backup health --ready
            """
    )

    @Flag(help: "Ask also whether catalog, disk and stores can be used.")
    var ready = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var healthy = true
        var answer: String
    }

    func run() async throws {
        let console = output.console
        let settings = try location.configuration(console).serviceSettings()
        let answer = try await HealthCheck(settings, needsReady: ready).ask()
        try console.finish(Response(answer: answer)) { answer }
    }
}
