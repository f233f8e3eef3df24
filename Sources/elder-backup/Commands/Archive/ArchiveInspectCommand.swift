import ArgumentParser
import BackupEngine

struct ArchiveInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what an archive holds and how it is laid out.",
        discussion: """
            EXAMPLES:
              elder-backup archive inspect FILE.json.gz
              elder-backup archive inspect FILE.json.gz --json
            """
    )

    @Argument(help: "The archive.", completion: .file(extensions: ["gz"]))
    var file: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        try output.console.finish(await BackupEngine.inspectArchive(path: file))
    }
}
