import ArgumentParser
import BackupEngine

struct ArchiveReindexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Write an archive's manifest anew from the archive itself.",
        discussion: """
            The archive is read from end to end and checked first.

            EXAMPLES:
              elder-backup archive reindex FILE.json.gz
            """
    )

    @Argument(help: "The archive.", completion: .file(extensions: ["gz"]))
    var file: String

    @OptionGroup var output: OutputOptions

    private struct Response: Encodable {
        var success = true
        var manifest: String
    }

    func run() async throws {
        let manifest = try await BackupEngine.reindexArchive(path: file)
        try output.console.finish(Response(manifest: manifest)) { Printable.line(manifest) }
    }
}
