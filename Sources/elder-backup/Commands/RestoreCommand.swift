import ArgumentParser
import BackupCore
import BackupEngine

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Restore a backup into a database.",
        discussion: """
            All or nothing: a restore that fails leaves the target as it was. A new file
            gets the whole schema and all rows and appears under its name only when it
            is complete. Into an existing database only rows are loaded, into tables
            that are there; tables that hold rows are refused without --clear-existing
            or --regenerate-ids. The local copy is read where its digest is right, else
            one from a store, of which --tables fetches no more than it needs.

            EXAMPLES:
              elder-backup restore 12 --into sqlite:restored.sqlite --prove
              elder-backup restore 12 --into sqlite:a.sqlite --tables users --dry-run
              elder-backup restore copy.json.gz --into sqlite:app.sqlite --clear-existing
              elder-backup restore 12 --into postgresql://admin@db1/app --jobs 4
            """
    )

    @Argument(help: "The backup: its number, its file name, or a path to an archive.")
    var backup: String

    @Option(help: ArgumentHelp("The database to restore into.", valueName: "url"))
    var into: DatabaseArgument

    @Option(help: ArgumentHelp("Only these tables, separated by commas.", valueName: "a,b"))
    var tables: [TableList] = []

    @Flag(help: "Do everything, then undo it, and tell what would have happened.")
    var dryRun = false

    @Flag(help: "Delete the rows of the restored tables first.")
    var clearExisting = false

    @Flag(name: .customLong("regenerate-ids"), help: "Give rows new ids and rewrite declared foreign keys to match.")
    var regenerateIDs = false

    @Flag(help: "Create nothing: load rows into tables that are there.")
    var dataOnly = false

    @Flag(help: "Read the target back and compare its digests before the commit.")
    var prove = false

    @Option(help: ArgumentHelp("Only the local copy, or only a store's.", valueName: "local|s3"))
    var from: CopyArgument?

    @Flag(help: "Wait for a copy that lies in an archive class until it can be read: minutes to two days.")
    var wait = false

    @Flag(help: "Accept definitions in the archive that could do more than define.")
    var trustSchema = false

    @Flag(help: "PostgreSQL: restore neither owners nor privileges, whose roles may not be there.")
    var noOwner = false

    @Option(
        help: ArgumentHelp(
            "PostgreSQL: fill an empty database over so many connections (1 to 64); it is replaced by a new one.",
            valueName: "n"))
    var jobs = 1

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs must be 1 to 64.") }
    }

    func run() async throws {
        let console = output.console
        var request = RestoreRequest(
            backup: try BackupReference(argument: backup), target: try into.address("--into"))
        request.tables = tables.tables
        request.dryRun = dryRun
        request.clearExisting = clearExisting
        request.regenerateIDs = regenerateIDs
        request.dataOnly = dataOnly
        request.prove = prove
        request.trustSchema = trustSchema
        request.from = from?.choice ?? .any
        request.waits = wait
        request.noOwner = noOwner
        request.jobs = jobs
        let engine = try await location.engine(console)
        let response = try await engine.restore(request)
        console.warn(response.warnings)
        try console.finish(response) { text(response, into: request.target) }
    }

    private func text(_ response: RestoreResponse, into target: DatabaseURL) -> String {
        let done = response.dryRun ? "dry run, nothing was changed: would restore" : "restored"
        let proof = response.proven ? ", read back and found equal" : ""
        let counts = response.restoredCounts.counts.sorted { $0.key < $1.key }
        let table = TextTable(
            columns: ["table", "rows"],
            rows: counts.map { [Printable.line($0.key.text), Printable.count($0.value)] }, rightAligned: [1])
        return """
            \(table.text)
            \(done) \(Printable.count(response.restoredTables, "table")), \
            \(Printable.count(response.totalRecords, "row")) into \(Printable.line(target.redacted)) in \
            \(Printable.seconds(response.durationSeconds))\(proof)
            \(SourceText.line(response.source, response.sourceReason))
            """
    }
}
