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

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let console = global.console
        let response = try await global.engine(console).stats()
        try console.finish(response) {
            let figures = """
                backups    \(response.totalBackups) (\(response.completedBackups) completed, \
                \(response.failedBackups) failed)
                size       \(Printable.bytes(response.totalSizeBytes))
                directory  \(Printable.line(response.backupDirectory))
                """
            return response.recentBackups.isEmpty
                ? figures : figures + "\n\n" + RecordTable.text(response.recentBackups)
        }
    }
}
