import ArgumentParser
import BackupCore
import BackupEngine

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show who did what: changes, runs, deletions and restores, and who was refused.",
        discussion: """
            The newest come first. Each action has an entry "begun" and one that tells how
            it ended; an entry "begun" without the other belongs to what still goes on, or
            to a process that was killed.

            EXAMPLES:
              elder-backup audit --limit 20
              elder-backup audit --before 1200 --json
            """
    )

    @Option(help: ArgumentHelp("How many to show.", valueName: "n"))
    var limit = 50

    @Option(help: ArgumentHelp("Only what was written down before the entry of this number.", valueName: "id"))
    var before: Int64?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var entries: [AuditEntry]
        var count: Int
    }

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 100000.") }
        if let before, before < 1 { throw ValidationError("--before must be at least 1.") }
    }

    func run() async throws {
        let console = output.console
        let entries = try await location.engine(console).auditEntries(before: before, limit: limit)
        try console.finish(Response(entries: entries, count: entries.count)) {
            entries.isEmpty ? "nothing was written down yet" : text(entries)
        }
    }

    private func text(_ entries: [AuditEntry]) -> String {
        let rows = entries.map { entry in
            [
                "\(entry.id)", String(entry.at.sql.prefix(19)), Printable.line(entry.actor), entry.action,
                Printable.line(entry.subject ?? ""), entry.outcome, Printable.line(entry.detail ?? ""),
            ]
        }
        return TextTable(
            columns: ["id", "time (UTC)", "who", "what", "on", "", ""], rows: rows, rightAligned: [0]
        ).text
    }
}
