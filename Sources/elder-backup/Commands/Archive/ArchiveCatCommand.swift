import ArgumentParser
import BackupEngine
import Glibc

struct ArchiveCatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print an archive's JSON text, or one table's rows, one a line.",
        discussion: """
            One table is read without inflating the others. What is printed is checked
            on the way: a damaged archive ends with status 4.

            EXAMPLES:
              elder-backup archive cat FILE.json.gz | jq '.tables | keys'
              elder-backup archive cat FILE.json.gz --table users | jq -c .email
            """
    )

    @Argument(help: "The archive.", completion: .file(extensions: ["gz"]))
    var file: String

    @Option(help: ArgumentHelp("Only the rows of this table, as one JSON object a line.", valueName: "name"))
    var table: String?

    func run() async throws {
        // Nothing is to be cleaned up here, so a closed pipe may end the process as it ends cat(1).
        signal(SIGPIPE, SIG_DFL)
        try await BackupEngine.catArchive(path: file, table: table, to: STDOUT_FILENO)
    }
}
