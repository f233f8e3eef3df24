import ArgumentParser
import BackupEngine

struct DownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download",
        abstract: "Copy a backup's archive out of the backup directory.",
        discussion: """
            The copy is checked against the recorded SHA-256. A file that exists is
            never overwritten.

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

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var success = true
        var path: String
    }

    func run() async throws {
        let console = output.console
        let reference = try BackupReference(argument: backup)
        let path = try await location.engine(console).download(reference, to: file ?? ".")
        try console.finish(Response(path: path)) { Printable.line(path) }
    }
}
