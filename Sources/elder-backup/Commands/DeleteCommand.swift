import ArgumentParser
import BackupCore
import BackupEngine

struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a backup: its copies, its archive, its manifest and its entry in the catalog.",
        discussion: """
            Copies in stores go first, as far as they are this installation's; what an
            object lock holds stays, and so does the backup.
            Asks first on a terminal; elsewhere --yes is needed.

            EXAMPLES:
              elder-backup delete 12
              elder-backup delete 12 --yes --json
            """
    )

    @Argument(help: "The backup: its number or its file name.")
    var backup: String

    @OptionGroup var consent: ConsentOptions

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var success = true
        var deleted: BackupRecord
    }

    func run() async throws {
        let console = output.console
        let reference = try BackupReference(argument: backup)
        try consent.demand("Delete backup \(Printable.line(backup)) for ever?")
        let record = try await location.engine(console).delete(reference)
        try console.finish(Response(deleted: record)) {
            "deleted backup \(record.id), \(Printable.line(record.filename)), \(Printable.bytes(record.fileSize))"
        }
    }
}
