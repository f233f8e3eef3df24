import ArgumentParser
import BackupCore
import BackupEngine
import Logging

/// Where archives and the catalog are: for all commands that work on either. May also stand before the command, since
/// the root has the same group under the same name.
struct LocationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where archives are kept, instead of $BACKUP_DIR.", valueName: "dir"))
    var backupDir: String?

    @Option(help: ArgumentHelp("The catalog's database, instead of $BACKUP_CATALOG_URL.", valueName: "url"))
    var catalog: String?

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
        return try await BackupEngine.open(
            configuration: configuration.engine, logger: Self.logger(console), observer: { console.observe($0) })
    }

    /// An engine for a run of a job, of which others are told even where it cannot begin.
    func engine(
        _ console: Console, forRunOf job: JobReference?, hasSource: Bool = false
    ) async throws -> BackupEngine {
        let configuration = try configuration(console, usesSource: true, hasSource: hasSource)
        return try await BackupEngine.open(
            forRunOf: job, configuration: configuration.engine, logger: Self.logger(console),
            observer: { console.observe($0) })
    }

    private static func logger(_ console: Console) -> Logger {
        Logger(label: "elder-backup") { _ in TerminalLogHandler(console: console) }
    }
}
