import ArgumentParser
import BackupCore

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job",
        abstract: "Work on jobs: what is backed up, and how long it is kept.",
        discussion: """
            EXAMPLES:
              elder-backup job create nightly --source sqlite:app.sqlite
              elder-backup job run nightly
              elder-backup job list
            """,
        subcommands: [
            JobCreateCommand.self, JobListCommand.self, JobShowCommand.self, JobUpdateCommand.self,
            JobDeleteCommand.self, JobRunCommand.self,
        ]
    )
}

/// What can be said of a job when it is made or changed.
struct JobOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The database to back up; $DATABASE_URL where it is not given.", valueName: "url"))
    var source: DatabaseArgument?

    @OptionGroup(title: "Retention: a backup stays where any rule keeps it")
    var retention: RetentionOptions

    @OptionGroup(title: "Runs")
    var runs: JobRunArguments

    @Option(help: ArgumentHelp("The time zone of the job's days, such as Europe/Berlin; UTC.", valueName: "zone"))
    var timeZone: String?

    @Option(help: ArgumentHelp("When the service runs it, such as \"30 2 * * *\"; \"\" for never.", valueName: "cron"))
    var schedule: String?

    @Option(help: "What the job is for.")
    var description: String?

    @Option(help: ArgumentHelp("Only the rows of these tables, separated by commas.", valueName: "a,b"))
    var tables: [TableList] = []

    @Option(help: ArgumentHelp("Not the rows of these tables, separated by commas.", valueName: "c,d"))
    var excludeTables: [TableList] = []

    func change() throws(BackupError) -> BackupJobChange {
        var change = BackupJobChange()
        if let source {
            // A job runs from any directory.
            let address = Paths.absolute(try source.address("--source"))
            if case .postgresql(let server) = address, server.connectionText != server.redacted {
                throw BackupError(
                    .usage,
                    "--source: a job does not keep passwords and parameters; give \(server.redacted), the password in "
                        + "~/.pgpass, and the rest in PG* variables or a service file")
            }
            change.source = address.redacted
        }
        change.retention = retention.change
        change.timeZone = timeZone
        change.schedule = schedule
        change.description = description
        change.includeTables = tables.tables
        change.excludeTables = excludeTables.tables
        change.options = runs.change
        return change
    }
}

/// The name of a job that a command line gives it.
enum JobName {
    /// Digits alone would be read as a number.
    static func check(_ name: String) throws {
        guard !name.isEmpty, !name.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            throw ValidationError("A job's name must not be empty and not be a number.")
        }
    }
}

/// Jobs as text.
enum JobReport {
    static func text(_ jobs: [BackupJob]) -> String {
        let rows = jobs.map { job in
            [
                "\(job.id)", Printable.line(job.name), job.enabled ? "yes" : "no", job.retention.summary,
                job.lastRunAt.map { String($0.sql.prefix(19)) } ?? "never", Printable.line(job.source ?? ""),
            ]
        }
        return TextTable(
            columns: ["id", "name", "enabled", "kept", "last run (UTC)", "source"], rows: rows, rightAligned: [0]
        ).text
    }
}
