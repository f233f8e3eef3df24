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

    @Option(
        help: ArgumentHelp("The variable that holds the database's address, with its password.", valueName: "name"))
    var sourceEnv: String?

    @OptionGroup(title: "Copies: what is not given is as configured for all jobs")
    var store: StoreOptions

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

    @Option(
        help: ArgumentHelp(
            "Only the rows of these tables, separated by commas; \"\" for all.", valueName: "a,b"))
    var tables: [JobTableList] = []

    @Option(
        help: ArgumentHelp(
            "Not the rows of these tables, separated by commas; \"\" for none.", valueName: "c,d"))
    var excludeTables: [JobTableList] = []

    func validate() throws {
        if source != nil, sourceEnv != nil { throw ValidationError("Give either --source or --source-env.") }
    }

    func change() throws(BackupError) -> BackupJobChange {
        var change = BackupJobChange()
        change.source = try sourceText()
        change.store = try store.change()
        change.retention = retention.change
        change.timeZone = timeZone
        change.schedule = schedule
        change.description = description
        change.includeTables = tables.tables
        change.excludeTables = excludeTables.tables
        change.options = try runs.change()
        return change
    }

    private func sourceText() throws(BackupError) -> String? {
        if let sourceEnv {
            let text = try SecretInput.variable(sourceEnv, option: "--source-env").revealed
            do {
                if case .sqlite(let path) = try DatabaseURL(text) { return "sqlite:" + Paths.absolute(path) }
            } catch {
                throw BackupError(.usage, "--source-env: \(error.message)")
            }
            return text
        }
        guard let source else { return nil }
        // A job runs from any directory.
        let address = Paths.absolute(try source.address("--source"))
        guard !address.keepsSecrets else {
            throw BackupError(
                .usage,
                "--source: everyone on the machine can read an argument, and this one may hold a password: put the address "
                    + "into a variable and give its name with --source-env, or give \(address.redacted) and the password "
                    + "in ~/.pgpass")
        }
        return address.redacted
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
                "\(job.id)", Printable.line(job.name), job.enabled ? "yes" : "no",
                job.fault == nil ? job.retention.summary : "everything",
                job.lastRunAt.map { String($0.sql.prefix(19)) } ?? "never", Printable.line(job.source ?? ""),
            ]
        }
        let table = TextTable(
            columns: ["id", "name", "enabled", "kept", "last run (UTC)", "source"], rows: rows, rightAligned: [0])
        return ([table.text] + jobs.compactMap(fault)).joined(separator: "\n")
    }

    /// What of a job cannot be read, as a line; nil where all can be.
    static func fault(_ job: BackupJob) -> String? { job.fault.map { "cannot be run: " + Printable.line($0) } }
}
