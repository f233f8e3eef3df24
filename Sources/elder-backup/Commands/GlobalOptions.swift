import ArgumentParser
import BackupCore
import BackupEngine
import Logging

/// `--json`, for commands that need no configuration.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print exactly one JSON object on standard output.")
    var json = false

    var console: Console { Console(json: json) }
}

/// What commands that work on the catalog or the configuration have in common.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where archives are kept, instead of $BACKUP_DIR.", valueName: "dir"))
    var backupDir: String?

    @Option(help: ArgumentHelp("The catalog's database, instead of $BACKUP_CATALOG_URL.", valueName: "url"))
    var catalog: String?

    @Flag(help: "Print exactly one JSON object on standard output.")
    var json = false

    var console: Console { Console(json: json) }

    /// Reads the configuration and tells what is odd about it.
    func configuration(
        _ console: Console, usesSource: Bool = false, hasSource: Bool = false
    ) throws(BackupError) -> Configuration {
        var overrides = Configuration.Overrides()
        overrides.directory = backupDir
        overrides.catalog = catalog
        overrides.hasSource = hasSource
        let configuration = try Configuration(overrides, usesSource: usesSource)
        console.warn(configuration.warnings)
        return configuration
    }

    /// An engine that tells the console of its course.
    func engine(
        _ console: Console, usesSource: Bool = false, hasSource: Bool = false
    ) async throws -> BackupEngine {
        let configuration = try configuration(console, usesSource: usesSource, hasSource: hasSource)
        let logger = Logger(label: "elder-backup") { _ in TerminalLogHandler(console: console) }
        return try await BackupEngine.open(
            configuration: configuration.engine, logger: logger, observer: { console.observe($0) })
    }
}
