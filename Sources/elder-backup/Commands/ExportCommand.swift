import ArgumentParser
import BackupCore
import BackupEngine

/// As `--format` takes it.
enum FormatArgument: String, ExpressibleByArgument, CaseIterable {
    case json, csv, xml, ndjson

    var format: ExportFormat {
        switch self {
        case .json: .json
        case .csv: .csv
        case .xml: .xml
        case .ndjson: .ndjson
        }
    }
}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write tables into one file for other programs.",
        discussion: """
            All tables are as they were at one moment. json and ndjson can be imported
            again; csv is one zip file with a file for each table; xml is one document.
            An export is no backup: it holds rows and no definitions. Without --output it
            lies in the directory exports of the backup directory, for
            $BACKUP_EXPORT_DAYS days.

            EXAMPLES:
              elder-backup export --source sqlite:app.sqlite --format csv
              elder-backup export --source sqlite:sample/tracker.sqlite --tables issues
            """
    )

    @Option(help: ArgumentHelp("The database, instead of $DATABASE_URL.", valueName: "url"))
    var source: DatabaseArgument?

    @Option(help: ArgumentHelp("How the file is written.", valueName: "json|csv|xml|ndjson"))
    var format = FormatArgument.json

    @Option(help: ArgumentHelp("Only these tables, separated by commas.", valueName: "a,b"))
    var tables: [TableList] = []

    @Option(help: ArgumentHelp("Only rows whose columns have these values, as a JSON object.", valueName: "json"))
    var filters: String?

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("The file, or a directory for it.", valueName: "file"))
    var file: String?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        var request = ExportRequest(format: format.format)
        request.source = try source?.address("--source")
        request.resourceTypes = tables.tables ?? []
        request.filters = filters.map { Array($0.utf8) }
        request.output = file.map { Paths.absolute($0) }
        let engine = try await location.engine(console, usesSource: true, hasSource: source != nil)
        let response = try await engine.export(request)
        console.warn(response.warnings)
        try console.finish(response) { text(response) }
    }

    private func text(_ response: ExportResponse) -> String {
        let counts = response.recordCounts.counts.sorted { $0.key < $1.key }
        let table = TextTable(
            columns: ["table", "rows"],
            rows: counts.map { [Printable.line($0.key.text), Printable.count($0.value)] }, rightAligned: [1])
        return "\(table.text)\n\(Printable.line(response.filePath))"
    }
}
