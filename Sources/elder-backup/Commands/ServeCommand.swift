import ArgumentParser
import BackupCore
import BackupEngine
import BackupService
import CGlibc
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the HTTP API, and run jobs on schedule.",
        discussion: """
            Listens on $BACKUP_LISTEN, 127.0.0.1:5000 without it; with TLS where
            $BACKUP_TLS_CERTIFICATE_FILE and $BACKUP_TLS_KEY_FILE are set. Every request
            but /health and /ready needs a token: see "token create". On SIGTERM no run
            begins any more, and those that go on end first.

            EXAMPLES:
              elder-backup serve
              elder-backup serve --listen 0.0.0.0:8080
            """
    )

    @Option(help: ArgumentHelp("Where to listen, instead of $BACKUP_LISTEN.", valueName: "host:port"))
    var listen: String?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let listen, ServiceConfiguration.address(listen) == nil {
            throw ValidationError("--listen must be HOST:PORT, such as 127.0.0.1:5000.")
        }
    }

    /// In bytes: the slices of downloads, made on one thread and freed on another, would leave gaps behind that grow with
    /// each client.
    private static let returnedBlock: Int32 = 32 << 10

    func run() async throws {
        _ = eb_return_large_blocks(ServeCommand.returnedBlock)
        let console = output.console
        let configuration = try location.configuration(console, usesSource: true)
        var settings = try configuration.serviceSettings()
        if let listen, let address = ServiceConfiguration.address(listen) {
            settings.host = address.host
            settings.port = address.port
        }
        let logger = Logger(label: "elder-backup") { StreamLogHandler.standardError(label: $0) }
        let engine = try await BackupEngine.open(configuration: configuration.engine, logger: logger)
        let service = try await BackupService(engine: engine, settings: settings, logger: logger)
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        if settings.isExposed {
            logger.warning(
                "others can reach the service, and what they send, tokens too, can be read on its way",
                metadata: ["advice": "set BACKUP_TLS_CERTIFICATE_FILE and BACKUP_TLS_KEY_FILE, or put a proxy in front"]
            )
        }
        let scheme = settings.tls == nil ? "http" : "https"
        try await service.run { port in console.note("listening on \(scheme)://\(host):\(port)") }
    }
}
