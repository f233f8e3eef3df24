import Foundation
import Testing

@Suite struct HelpTests {
    static let commands = [
        "", "backup", "restore", "verify", "list", "show", "download", "upload", "replicate", "cancel", "delete",
        "prune",
        "stats", "export", "import", "s3", "s3 check", "archive", "archive cat", "archive inspect", "archive reindex",
        "catalog", "catalog migrate", "catalog rebuild", "job", "job create", "job list", "job show", "job update",
        "job delete", "job run", "token", "token create", "token list", "token revoke", "audit", "serve", "health",
        "config",
        "config show", "config rotate-key", "demo",
    ]

    @Test("Every command explains itself, with examples that name it", arguments: commands)
    func help(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let run = try CommandRun(words + ["--help"], in: TemporaryDirectory())
        let name = (["elder-backup"] + words).joined(separator: " ")
        #expect(run.status == 0)
        #expect(run.messages.isEmpty)
        #expect(run.output.contains("USAGE: \(name) "))
        let examples = run.output.components(between: "EXAMPLES:\n", and: "\n\n")
        #expect(examples.contains(name))
    }

    @Test("Every subcommand that the help names is covered here")
    func coverage() throws {
        for group in ["", "archive", "catalog", "job", "token", "config"] {
            let words = group.isEmpty ? [] : [group]
            let run = try CommandRun(words + ["--help"], in: TemporaryDirectory())
            let list = run.output.components(between: "SUBCOMMANDS:\n", and: "\n\n")
            let names = list.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
                .compactMap { $0.split(separator: " ").first.map(String.init) }
            #expect(!names.isEmpty)
            for name in names { #expect(HelpTests.commands.contains((words + [name]).joined(separator: " "))) }
        }
    }

    @Test("Completions for three shells", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) throws {
        let run = try CommandRun(["--generate-completion-script", shell], in: TemporaryDirectory())
        #expect(run.status == 0)
        #expect(run.messages.isEmpty)
        #expect(run.output.contains("regenerate-ids"))
        #expect(run.output.contains("reindex"))
    }

    @Test func version() throws {
        let run = try CommandRun(["--version"], in: TemporaryDirectory())
        #expect(run.status == 0)
        #expect(run.output.wholeMatch(of: /elder-backup \d+\.\d+\.\d+\n/) != nil)
    }
}

extension String {
    /// The text after the first `start` up to the next `end`, or to the end of the text.
    func components(between start: String, and end: String) -> String {
        guard let from = range(of: start) else { return "" }
        let rest = self[from.upperBound...]
        return String(rest.range(of: end).map { rest[..<$0.lowerBound] } ?? rest)
    }
}
