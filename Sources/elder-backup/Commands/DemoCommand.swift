import ArgumentParser
import BackupEngine

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Make a sample database to try things on.",
        discussion: """
            Makes DIR/tracker.sqlite, an infrastructure tracker with a few thousand
            rows, the same on every run. A file that exists is never overwritten.

            EXAMPLES:
              elder-backup demo sample
              elder-backup backup --source sqlite:sample/tracker.sqlite
            """
    )

    @Argument(help: "The directory; made where it is missing.", completion: .directory)
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let response = try await BackupEngine.makeDemo(inDirectory: directory)
        try output.console.finish(response) {
            "made \(Printable.line(response.path)): \(Printable.count(response.tables, "table")), "
                + Printable.count(response.rows, "row")
        }
    }
}
