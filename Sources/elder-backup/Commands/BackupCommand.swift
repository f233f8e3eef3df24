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
            database is taken, else that of $DATABASE_URL. With $BACKUP_S3_ENABLED the
            backup is copied to the configured stores; where that fails the status is
            3, and the next run tries again.

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

    @Flag(help: "Do not copy the backup to a store now; upload --missing does it later.")
    var noUpload = false

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
        request.uploads = !noUpload
        let engine = try await location.engine(console, forRunOf: request.job, hasSource: source != nil)
        try BackupReport.finish(await engine.backup(request), console)
    }
}

/// What `backup` and `job run` print.
enum BackupReport {
    static func finish(_ response: BackupResponse, _ console: Console) throws {
        console.warn(response.warnings)
        if let error = response.s3Error { console.warn("no copy on S3: \(error)") }
        for replica in response.replicas ?? [] {
            if let error = replica.error { console.warn("no copy on \(replica.store): \(error)") }
        }
        try console.finish(response) {
            let size = Printable.bytes(response.fileSize)
            let text = """
                backup \(response.backupID) completed: \(Printable.count(response.recordCount, "row")), \(size), \
                \(Printable.seconds(response.durationSeconds))
                file   \(Printable.line(response.filePath))
                sha256 \(response.sha256)
                """
            let copies = [response.s3URL].compactMap { $0 } + (response.replicas ?? []).compactMap(\.url)
            return text + copies.map { "\ncopy   " + Printable.line($0) }.joined()
        }
        if !response.isCopied { throw ExitCode(ExitStatus.copyMissing) }
    }
}
