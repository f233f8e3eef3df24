import ArgumentParser
import BackupEngine

struct DownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download",
        abstract: "Copy a backup's archive out of the backup directory, or fetch it from a store.",
        discussion: """
            The copy is checked against the recorded SHA-256. A file that exists is
            never overwritten. The local copy is taken where its digest is right, else
            one from a store.

            EXAMPLES:
              elder-backup download 12
              elder-backup download 12 --output /mnt/usb/backup.json.gz
            """
    )

    @Argument(help: "The backup: its number, its file name, or a path to an archive.")
    var backup: String

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp(
            "The copy's file, or a directory for it; the working directory by default.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Only the local copy, or only a store's.", valueName: "local|s3"))
    var from: CopyArgument?

    @Flag(help: "Wait for a copy that lies in an archive class until it can be read: minutes to two days.")
    var wait = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let reference = try BackupReference(argument: backup)
        let response = try await location.engine(console).download(
            reference, to: file ?? ".", from: from?.choice ?? .any, waits: wait)
        try console.finish(response) {
            Printable.line(response.path) + "\n" + SourceText.line(response.source, response.sourceReason)
        }
    }
}
