import Foundation
import Glibc
import Testing

/// Everything that the help and the README tell people to type.
@Suite struct EndToEndExampleTests {
    /// A directory in which every example finds what it names.
    private func prepared(for example: String) throws -> EndToEnd {
        let test = try EndToEnd()
        #expect(try test.run("job", "create", "nightly", "--source", "sqlite:app.sqlite").status == 0)
        for name in ["first", "second"] { _ = try test.run("job", "create", name, "--source", "sqlite:app.sqlite") }
        let archive = try test.backup("--job", "nightly")
        // The backup has the number that the example gives.
        let number = example.contains("restore 1 ") ? 1 : 12
        try test.database("backups/catalog.sqlite", "UPDATE backups SET id = \(number)")
        for name in ["FILE.json.gz", "copy.json.gz"] {
            try FileManager.default.copyItem(atPath: archive, toPath: test.path(name))
        }
        mkdir(test.path("usb"), 0o755)
        return test
    }

    /// The examples' own places, in a directory of the test.
    private func localized(_ line: String, _ test: EndToEnd) throws -> String {
        let copies = /\/mnt\/copies\/\S+/
        var line = line.replacing(copies, with: "copy.json.gz")
        for (place, local) in [
            ("/mnt/usb", test.path("usb")), ("/var/lib/elder/backups", test.path("backups")),
            ("sqlite:///srv/elder/elder.sqlite", "sqlite:backups/catalog.sqlite"),
        ] {
            line = line.replacingOccurrences(of: place, with: local)
        }
        if line.hasPrefix("elder-backup serve") {
            // On a free port, and told to stop once it is up.
            line = line.replacing("0.0.0.0:8080", with: "127.0.0.1:0")
            line =
                "BACKUP_LISTEN=127.0.0.1:0 \(line) 2> log & until grep -q listening log; do kill -0 $! || break; done; "
                + "kill -TERM $!; wait $!"
        }
        return line
    }

    /// Those that ask first, where there is nobody to ask; a job that an example before would have made; and what needs a
    /// store or a PostgreSQL server, where there is none.
    private static let statuses: [String: Int32] = [
        "elder-backup verify --all --remote": 4, "elder-backup catalog rebuild --from-s3": 64,
        "elder-backup upload 12": 64, "elder-backup upload --missing --json": 64, "elder-backup replicate": 64,
        "elder-backup replicate 12 --json": 64, "elder-backup s3 check": 64,
        "elder-backup s3 check --store replica-1 --json": 64, "elder-backup s3 check --job nightly": 64,
        "elder-backup restore 12 --into postgresql://admin@db1/app --jobs 4": 1,
        "elder-backup archive cat FILE.json.gz --definitions globals": 1,
        "elder-backup cancel 12": 1, "elder-backup cancel 12 --wait 0": 1, "elder-backup delete 12": 64,
        "elder-backup job delete nightly": 64,
        "elder-backup job create nightly --source sqlite:a.sqlite --retention-days 14": 64,
        "elder-backup job create nightly --source sqlite:app.sqlite": 64,
        "elder-backup health": 1, "elder-backup health --ready": 1,
    ]

    @Test("Every example of the help runs as printed", arguments: HelpTests.commands)
    func help(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let help = try CommandRun(words + ["--help"], in: TemporaryDirectory()).output
        let examples = help.components(between: "EXAMPLES:\n", and: "\n\n").split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(!examples.isEmpty)
        for example in examples {
            // Each finds the directory as it was at first.
            let fresh = try prepared(for: example)
            if example.contains("users,orders") { try fresh.database("app.sqlite", "CREATE TABLE orders(id)") }
            if example.contains("token revoke") {
                for name in ["first", "second", "ci"] {
                    _ = try fresh.run("token", "create", "--name", name, "--role", "viewer")
                }
            }
            if example.contains("import ") {
                for name in ["export.json", "rows.ndjson"] {
                    let format = name.hasSuffix(".ndjson") ? "ndjson" : "json"
                    _ = try fresh.run("export", "--source", "sqlite:app.sqlite", "--format", format, "--output", name)
                }
            }
            if example.contains("sample/") { _ = try fresh.run("demo", "sample") }
            let line = try localized(example, fresh)
            if line.contains("jq"), access("/usr/bin/jq", X_OK) != 0 { continue }
            // Where no service listens.
            let run = try fresh.shell("set -o pipefail; export BACKUP_LISTEN=127.0.0.1:1; \(line)")
            #expect(run.status == Self.statuses[example] ?? 0, "\(example): \(run.messages)")
        }
    }

    @Test("The README's examples run, one after the other")
    func readme() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let block = readme.components(between: "## Use\n\n```\n", and: "```")
        let lines = block.split(separator: "\n").map(String.init)
        #expect(lines.count >= 4)
        let test = try EndToEnd()
        for line in lines {
            let names = try FileManager.default.contentsOfDirectory(atPath: test.path(""))
            let archives = (try? FileManager.default.contentsOfDirectory(atPath: test.path("backups"))) ?? []
            #expect(names.contains("app.sqlite"))
            let name = archives.first { $0.hasSuffix(".json.gz") } ?? ""
            let local = line.replacing(/backup_1_\d+_\d+\.json\.gz/, with: test.path("backups/") + name)
            if local.contains("jq"), access("/usr/bin/jq", X_OK) != 0 { continue }
            let run = try test.shell("set -o pipefail; \(local)")
            #expect(run.status == 0, "\(line): \(run.messages)")
        }
    }

    @Test(
        "Completions are scripts that their shells accept",
        arguments: [
            ("bash", "bash -n"), ("zsh", "zsh -n"), ("fish", "fish --no-execute"),
        ])
    func completions(shell: String, check: String) throws {
        let test = try EndToEnd()
        let run = try test.shell(
            """
            elder-backup --generate-completion-script \(shell) > script || exit 2
            command -v \(shell) > /dev/null || exit 0
            \(check) script
            """)
        #expect(run.status == 0, "\(run.messages)")
        #expect(run.messages.isEmpty)
    }
}
