import ArgumentParser
import BackupEngine

/// The root of all commands.
struct ElderBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "elder-backup",
        abstract: "Consistent, logical, verified backups of a database in one compressed JSON file.",
        discussion: """
            A backup reads the whole database at one moment and writes one file,
            backup_JOB_DATE_TIME.json.gz, that zcat and jq can read without this
            program. BACKUP stands for a backup's number (see list), its file name, or a
            path to an archive. A database is named by sqlite:PATH or
            sqlite:///ABSOLUTE/PATH.

            EXAMPLES:
              elder-backup backup --source sqlite:app.sqlite
              elder-backup list
              elder-backup verify --all
              elder-backup restore 1 --into sqlite:restored.sqlite

            EXIT STATUS:
              0 done; 1 failed, nothing was changed; 3 the backup is complete, and a
              copy on S3 is missing; 4 damage was found; 5 another run of the job goes
              on; 64 wrong usage or configuration; 129, 130, 143 interrupted.

            SHELL COMPLETION:
              elder-backup --generate-completion-script bash|zsh|fish
            """,
        version: "elder-backup \(ProgramVersion.current)",
        subcommands: [
            BackupCommand.self, RestoreCommand.self, VerifyCommand.self, ListCommand.self, ShowCommand.self,
            DownloadCommand.self, UploadCommand.self, ReplicateCommand.self, CancelCommand.self,
            DeleteCommand.self, PruneCommand.self, StatsCommand.self, ExportCommand.self, ImportCommand.self,
            ArchiveCommand.self, CatalogCommand.self, S3Command.self,
            JobCommand.self, TokenCommand.self, AuditCommand.self, ServeCommand.self, HealthCommand.self,
            ConfigCommand.self, DemoCommand.self,
        ]
    )

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions
}
