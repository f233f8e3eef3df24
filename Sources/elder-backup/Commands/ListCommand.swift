import ArgumentParser
import BackupCore
import BackupEngine

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List backups, the newest first.",
        discussion: """
            EXAMPLES:
              elder-backup list
              elder-backup list --job nightly --limit 5 --json
              elder-backup list --status failed --since 2026-11-01
            """
    )

    @Option(help: ArgumentHelp("Only backups of this job, by name or number.", valueName: "job"))
    var job: String?

    @Option(help: ArgumentHelp("Only those that are: running, completed or failed.", valueName: "status"))
    var status: BackupRecord.Status?

    @Option(help: ArgumentHelp("Only those begun then or later; UTC without an offset.", valueName: "time"))
    var since: MomentArgument?

    @Option(help: ArgumentHelp("Only those begun before.", valueName: "time"))
    var until: MomentArgument?

    @Option(help: ArgumentHelp("At most so many.", valueName: "n"))
    var limit = 50

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be at least 1.") }
    }

    private struct Response: Encodable {
        var backups: [BackupRecord]
        var count: Int
    }

    func run() async throws {
        let console = output.console
        let engine = try await location.engine(console)
        var query = BackupQuery()
        query.status = status
        query.since = since?.moment
        query.until = until?.moment
        query.limit = limit
        let records = try await engine.list(query, job: job.map { JobReference($0) }).records
        try console.finish(Response(backups: records, count: records.count)) {
            records.isEmpty ? "no backups" : RecordTable.text(records)
        }
    }
}

extension BackupRecord.Status: ExpressibleByArgument {}

/// A date, or a date and time, as ISO 8601 writes it.
struct MomentArgument: ExpressibleByArgument {
    let moment: Timestamp

    init?(argument: String) {
        guard let moment = Timestamp(argument) else { return nil }
        self.moment = moment
    }
}

/// Backups as a table.
enum RecordTable {
    static func text(_ records: [BackupRecord]) -> String {
        let rows = records.map { record in
            [
                "\(record.id)", "\(record.jobID)", record.status.rawValue, String(record.startedAt.sql.prefix(19)),
                Printable.count(record.recordCount), Printable.bytes(record.fileSize), copies(of: record),
                Printable.line(record.filename),
            ]
        }
        return TextTable(
            columns: ["id", "job", "status", "started (UTC)", "rows", "size", "S3", "file"], rows: rows,
            rightAligned: [0, 1, 4, 5]
        ).text
    }

    /// `present`, `failed` and so on; with the number of copies on further stores.
    private static func copies(of record: BackupRecord) -> String {
        let state = record.remote.s3State?.rawValue ?? "-"
        let further = record.remote.presentCopies - (record.remote.s3State == .present ? 1 : 0)
        return further > 0 ? "\(state) +\(further)" : state
    }
}
