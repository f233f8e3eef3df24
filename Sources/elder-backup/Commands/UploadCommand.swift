import ArgumentParser
import BackupCore
import BackupEngine

struct UploadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload",
        abstract: "Copy a backup to the store, or all that have no copy there.",
        discussion: """
            Each copy is proven: by a checksum that the store computed, or by reading it
            back. An upload that was cut off is gone on with. Ends with status 3 when a
            copy could not be made.

            EXAMPLES:
              elder-backup upload 12
              elder-backup upload --missing --json
            """
    )

    @Argument(help: "The backup: its number or its file name.")
    var backup: String?

    @Flag(help: "All completed backups that have no copy, the oldest first.")
    var missing = false

    @Option(help: ArgumentHelp("With --missing: only backups of this job, by name or number.", valueName: "job"))
    var job: String?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (backup != nil) != missing else { throw ValidationError("Give either a backup or --missing.") }
        guard job == nil || missing else { throw ValidationError("--job goes with --missing.") }
    }

    func run() async throws {
        let console = output.console
        let reference = try backup.map { name throws(BackupError) in try BackupReference(argument: name) }
        let engine = try await location.engine(console)
        let response: CopiesResponse
        if let reference {
            response = try await engine.upload(reference)
        } else {
            response = try await engine.uploadMissing(job: job.map { JobReference($0) })
        }
        try CopiesReport.finish(response, console)
    }
}

/// What `upload` and `replicate` print.
enum CopiesReport {
    static func finish(_ response: CopiesResponse, _ console: Console) throws {
        for copy in response.copies {
            if let error = copy.error { console.warn("backup \(copy.backupID) has no copy on \(copy.store): \(error)") }
        }
        try console.finish(response) {
            let lines = response.copies.filter(\.uploaded).map { copy in
                "backup \(copy.backupID) on \(copy.store): \(Printable.line(copy.url ?? copy.filename))"
            }
            let summary = "\(Printable.count(response.uploaded, "copy", "copies")) in place, \(response.failed) missing"
            return (lines + [summary]).joined(separator: "\n")
        }
        if !response.success { throw ExitCode(ExitStatus.copyMissing) }
    }
}
