import ArgumentParser
import BackupCore
import BackupEngine
import Glibc

struct ArchiveCatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print an archive's JSON text, one table's rows, or definitions.",
        discussion: """
            One table is read without inflating the others. What is printed is checked
            on the way: a damaged archive ends with status 4.

            Definitions of PostgreSQL come as SQL that psql runs: globals (roles without
            passwords, and tablespaces), database, pre-data, post-data.

            EXAMPLES:
              elder-backup archive cat FILE.json.gz | jq '.tables | keys'
              elder-backup archive cat FILE.json.gz --table users | jq -c .email
              elder-backup archive cat FILE.json.gz --definitions globals
            """
    )

    @Argument(help: "The archive.", completion: .file(extensions: ["gz"]))
    var file: String

    @Option(help: ArgumentHelp("Only the rows of this table, as one JSON object a line.", valueName: "name"))
    var table: String?

    @Option(help: ArgumentHelp("Only these definitions: \(parts).", valueName: "part"))
    var definitions: DefinitionPart?

    private static var parts: String { DefinitionPart.allCases.map(\.rawValue).joined(separator: ", ") }

    func validate() throws {
        guard table == nil || definitions == nil else {
            throw ValidationError("--table and --definitions cannot stand together")
        }
    }

    func run() async throws {
        // Nothing is to be cleaned up here, so a closed pipe may end the process as it ends cat(1).
        signal(SIGPIPE, SIG_DFL)
        if let definitions {
            try await BackupEngine.catDefinitions(path: file, part: definitions, to: STDOUT_FILENO)
        } else {
            try await BackupEngine.catArchive(path: file, table: table, to: STDOUT_FILENO)
        }
    }
}

extension DefinitionPart: ExpressibleByArgument {}
