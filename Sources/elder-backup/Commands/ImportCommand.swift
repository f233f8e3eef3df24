import ArgumentParser
import BackupCore
import BackupEngine

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Put the rows of an export into a database.",
        discussion: """
            All or nothing: an import that fails leaves the database as it was. FILE is an
            export in json or ndjson, a backup, or what Elder wrote; its name ends with
            .json, .json.gz or .ndjson. The tables must be there; tables that hold rows
            are refused without --clear-existing or --regenerate-ids.

            EXAMPLES:
              elder-backup import export.json --into sqlite:app.sqlite --clear-existing
              elder-backup import rows.ndjson --into sqlite:app.sqlite --clear-existing
            """
    )

    @Argument(help: "The file.")
    var file: String

    @Option(help: ArgumentHelp("The database to import into.", valueName: "url"))
    var into: DatabaseArgument

    @Option(help: ArgumentHelp("Only these tables, separated by commas.", valueName: "a,b"))
    var tables: [TableList] = []

    @Flag(help: "Do everything, then undo it, and tell what would have happened.")
    var dryRun = false

    @Flag(help: "Delete the rows of the imported tables first.")
    var clearExisting = false

    @Flag(name: .customLong("regenerate-ids"), help: "Give rows new ids and rewrite declared foreign keys to match.")
    var regenerateIDs = false

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard ImportForm(filename: file) != nil else {
            throw ValidationError("The file's name must end with .json, .json.gz or .ndjson.")
        }
    }

    func run() async throws {
        let console = output.console
        guard let form = ImportForm(filename: file) else { return }
        var request = ImportRequest(path: Paths.absolute(file), form: form, target: try into.address("--into"))
        request.tables = tables.tables
        request.dryRun = dryRun
        request.clearExisting = clearExisting
        request.regenerateIDs = regenerateIDs
        let response = try await location.engine(console).importFile(request)
        console.warn(response.warnings)
        try console.finish(response) { text(response, into: request.target) }
    }

    private func text(_ response: ImportResponse, into target: DatabaseURL) -> String {
        let done = response.dryRun ? "dry run, nothing was changed: would import" : "imported"
        let counts = response.importedCounts.counts.sorted { $0.key < $1.key }
        let table = TextTable(
            columns: ["table", "rows"],
            rows: counts.map { [Printable.line($0.key.text), Printable.count($0.value)] }, rightAligned: [1])
        return """
            \(table.text)
            \(done) \(Printable.count(response.importedTables, "table")), \
            \(Printable.count(response.totalRecords, "row")) into \(Printable.line(target.redacted)) in \
            \(Printable.seconds(response.durationSeconds))
            """
    }
}
