import ArgumentParser
import BackupCore
import BackupEngine

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Take a backup of a database.",
        discussion: """
            All tables are read at one moment. The archive appears under its name only
            when it is complete and has been read back. Without --source the job's
            database is taken, else that of $DATABASE_URL.

            EXAMPLES:
              elder-backup backup --source sqlite:app.sqlite
              elder-backup backup --job nightly --json
              elder-backup backup --source sqlite:app.sqlite --exclude-tables logs
            """
    )

    @Option(help: ArgumentHelp("The database to back up.", valueName: "url"))
    var source: DatabaseArgument?

    @Option(
        help: ArgumentHelp(
            "The job to run, by name or number; made where it is missing: \"default\".", valueName: "job"))
    var job: String?

    @Option(help: ArgumentHelp("Only the rows of these tables, separated by commas.", valueName: "a,b"))
    var tables: [TableList] = []

    @Option(help: ArgumentHelp("Not the rows of these tables, separated by commas.", valueName: "c,d"))
    var excludeTables: [TableList] = []

    @Flag(help: "Read a private copy made first, so that writers of a rollback-journal database wait less.")
    var stage = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        var request = BackupRequest()
        request.source = try source?.address("--source")
        request.job = job.map { JobReference($0) }
        request.includeTables = tables.tables
        request.excludeTables = excludeTables.tables
        request.stage = stage
        let engine = try await location.engine(console, usesSource: true, hasSource: source != nil)
        try BackupReport.finish(await engine.backup(request), console)
    }
}

/// What `backup` and `job run` print.
enum BackupReport {
    static func finish(_ response: BackupResponse, _ console: Console) throws {
        console.warn(response.warnings)
        try console.finish(response) {
            let size = Printable.bytes(response.fileSize)
            return """
                backup \(response.backupID) completed: \(Printable.count(response.recordCount, "row")), \(size), \
                \(Printable.seconds(response.durationSeconds))
                file   \(Printable.line(response.filePath))
                sha256 \(response.sha256)
                """
        }
    }
}
