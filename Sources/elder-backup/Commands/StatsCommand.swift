import ArgumentParser
import BackupEngine

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Figures over all backups.",
        discussion: """
            EXAMPLES:
              elder-backup stats
              elder-backup stats --json | jq .total_size_bytes
            """
    )

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let response = try await location.engine(console).stats()
        try console.finish(response) {
            let figures = """
                backups    \(response.totalBackups) (\(response.completedBackups) completed, \
                \(response.failedBackups) failed)
                size       \(Printable.bytes(response.totalSizeBytes))
                on S3      \(response.s3Backups) (\(Printable.bytes(response.s3SizeBytes)))
                directory  \(Printable.line(response.backupDirectory))
                """
            return response.recentBackups.isEmpty
                ? figures : figures + "\n\n" + RecordTable.text(response.recentBackups)
        }
    }
}
