import ArgumentParser
import BackupCore
import BackupEngine
import Logging

struct S3CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Try a store step by step, and say where it fails and what to do.",
        discussion: """
            Resolves the name, connects, compares clocks, signs, and does with objects of
            its own what a backup does: write, read back, ranges, parts, delete. Nothing
            of it stays. Ends with status 1 when a step fails.

            EXAMPLES:
              elder-backup s3 check
              elder-backup s3 check --store replica-1 --json
              elder-backup s3 check --job nightly
            """
    )

    @Option(help: ArgumentHelp("Which store: s3, or replica-1 and so on.", valueName: "name"))
    var store = RemoteCopy.primaryStore

    @Option(help: ArgumentHelp("The store that this job's backups go to.", valueName: "job"))
    var job: String?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let response = try await check(console)
        try console.finish(response) { text(response) }
        if !response.ok { throw ExitCode(1) }
    }

    private func check(_ console: Console) async throws -> StoreCheckResponse {
        if let job { return try await location.engine(console).checkStore(store, of: JobReference(job)) }
        let configuration = try location.configuration(console)
        let logger = Logger(label: "elder-backup") { _ in TerminalLogHandler(console: console) }
        return try await BackupEngine.checkStore(store, of: configuration.engine.remote, logger: logger)
    }

    private func text(_ response: StoreCheckResponse) -> String {
        let head = "\(response.store): \(response.provider), \(response.endpoint), bucket \(response.bucket)"
        let width = response.steps.map(\.name.count).max() ?? 0
        let lines = response.steps.flatMap { step in
            let name = step.name + String(repeating: " ", count: width - step.name.count)
            let mark = step.outcome == "fail" ? "FAIL" : step.outcome == "pass" ? "pass" : "-   "
            let reason = ["pass", "fail"].contains(step.outcome) ? "" : step.outcome + ": "
            let line = "\(mark)  \(name)  \(reason)\(Printable.line(step.detail))"
            return [line] + (step.advice.map { ["      \(String(repeating: " ", count: width))  → \($0)"] } ?? [])
        }
        let end = response.ok ? "the store is ready" : "the store is not ready"
        return ([head] + lines + [end]).joined(separator: "\n")
    }
}
