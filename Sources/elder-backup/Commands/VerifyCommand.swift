import ArgumentParser
import BackupCore
import BackupEngine

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read archives from end to end and check every digest and count.",
        discussion: """
            Ends with status 4 when any of the archives is damaged. Where the local copy
            is missing or damaged, one from a store is verified in its place.

            EXAMPLES:
              elder-backup verify 12
              elder-backup verify --all --json
              elder-backup verify --job nightly
              elder-backup verify --all --remote
              elder-backup verify /mnt/copies/backup_1_20261123_012903.json.gz
            """
    )

    @Argument(help: "Backups: their numbers, their file names, or paths to archives.")
    var backups: [String] = []

    @Flag(help: "All completed backups of the catalog.")
    var all = false

    @Option(help: ArgumentHelp("All completed backups of this job, by name or number.", valueName: "job"))
    var job: String?

    @Flag(help: "Verify every copy in a store instead of the local one.")
    var remote = false

    @Flag(help: "Wait for a copy that lies in an archive class until it can be read: minutes to two days.")
    var wait = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        let choices = [!backups.isEmpty, all, job != nil].filter { $0 }.count
        guard choices == 1 else { throw ValidationError("Give either backups, or --all, or --job.") }
    }

    func run() async throws {
        let console = output.console
        let references = try backups.map { name throws(BackupError) in try BackupReference(argument: name) }
        let engine = try await location.engine(console)
        let response = try await engine.verify(
            references, job: job.map { JobReference($0) }, all: all, remote: remote, waits: wait)
        for item in response.backups where !item.ok {
            console.note("\(item.path): \(item.error ?? "damaged")")
        }
        for item in response.backups {
            if let reason = item.sourceReason { console.warn("\(reason); the copy on \(item.source) was verified") }
        }
        try console.finish(response) { text(response) }
        if !response.ok { throw ExitCode(BackupError(.damaged, "").exitStatus) }
    }

    private func text(_ response: VerifyResponse) -> String {
        let lines = response.backups.map { item in
            let name = Printable.line(item.path)
            guard item.ok else { return "damaged  \(name)" }
            let manifest = item.manifest ? "" : ", no manifest beside it"
            let tables = Printable.count(item.tables, "table")
            let source = item.source == "local" ? "" : " (\(item.source))"
            return "ok       \(name)\(source): \(tables), \(Printable.count(item.recordCount, "row"))\(manifest), "
                + Printable.seconds(item.durationSeconds)
        }
        return (lines + ["\(response.verified) verified, \(response.damaged) damaged"]).joined(separator: "\n")
    }
}
