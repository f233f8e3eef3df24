import Foundation
import Testing

@Suite struct ConfigurationTests {
    private func show(
        _ environment: [String: String] = [:], file: String? = nil, arguments: [String] = []
    ) throws -> CommandRun {
        let directory = try TemporaryDirectory()
        if let file { try directory.write(file, to: ".env") }
        return try CommandRun(["config", "show", "--json"] + arguments, environment: environment, in: directory)
    }

    @Test func defaults() throws {
        let run = try show()
        #expect(run.status == 0)
        #expect(run.messages.isEmpty)
        #expect(run.setting("BACKUP_DIR") == ("/var/lib/elder/backups", "default"))
        #expect(run.setting("BACKUP_CATALOG_URL") == ("sqlite:/var/lib/elder/backups/catalog.sqlite", "default"))
        #expect(run.setting("DATABASE_URL") == (nil, "default"))
        #expect(run.setting("BACKUP_RETENTION_DAYS") == ("30", "default"))
        #expect(run.setting("BACKUP_COMPRESSION") == ("fast", "default"))
        #expect(run.setting("BACKUP_MAX_ROW") == ("256MiB", "default"))
        #expect(run.setting("BACKUP_LOCK_TIMEOUT") == ("30s", "default"))
        #expect(run.setting("BACKUP_STATEMENT_TIMEOUT") == (nil, "default"))
        #expect(run.setting("BACKUP_MAX_WAL_GROWTH") == (nil, "default"))
    }

    @Test("The example of a .env file has every setting, and no other of ours")
    func example() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: ".env.example"), encoding: .utf8)
        let assigned = text.split(separator: "\n").compactMap { line -> String? in
            guard let equals = line.firstIndex(of: "="), !line.hasPrefix("# ") else { return nil }
            return String(line[..<equals].drop { $0 == "#" })
        }
        let settings = try #require(try show().object?["settings"] as? [[String: Any]])
        let names = settings.compactMap { $0["name"] as? String }
        #expect(Set(names).subtracting(assigned).isEmpty)
        let others = Set(assigned).subtracting(names)
        #expect(
            others == [
                "POSTGRES_PASSWORD", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "BACKUP_S3_REPLICA_1_BUCKET",
            ])
        #expect(assigned.count == Set(assigned).count)
    }

    @Test("Command line before environment before .env before default")
    func precedence() throws {
        let file = "BACKUP_DIR=/from/file\nBACKUP_COMPRESSION=balanced\nBACKUP_RETENTION_DAYS=7\n"
        let environment = ["BACKUP_DIR": "/from/environment", "BACKUP_RETENTION_DAYS": "9", "BACKUP_COMPRESSION": ""]
        let run = try show(environment, file: file, arguments: ["--backup-dir", "/from/option"])
        #expect(run.setting("BACKUP_DIR") == ("/from/option", "option --backup-dir"))
        #expect(run.setting("BACKUP_RETENTION_DAYS") == ("9", "environment"))
        // Set to nothing counts as not set.
        #expect(run.setting("BACKUP_COMPRESSION") == ("balanced", ".env"))
        #expect(run.setting("BACKUP_CATALOG_URL").value == "sqlite:/from/option/catalog.sqlite")
        #expect(try show(environment, file: file).setting("BACKUP_DIR") == ("/from/environment", "environment"))
    }

    @Test("Options may stand before the command too")
    func optionsInFront() throws {
        let run = try CommandRun(
            ["--backup-dir", "/a", "--json", "config", "show"], in: TemporaryDirectory())
        #expect(run.setting("BACKUP_DIR") == ("/a", "option --backup-dir"))
        let demo = try CommandRun(["--json", "demo", "x"], in: TemporaryDirectory())
        #expect(demo.object?["success"] == nil && demo.object?["path"] != nil)
    }

    @Test(arguments: [
        ("BACKUP_MAX_ROW", "1048576", "1MiB"), ("BACKUP_MAX_ROW", "512 MiB", "512MiB"),
        ("BACKUP_MAX_ROW", "2MB", "2000000"), ("BACKUP_MAX_ROW", "2048KiB", "2MiB"),
        ("BACKUP_LOCK_TIMEOUT", "0", "0s"), ("BACKUP_LOCK_TIMEOUT", "250ms", "250ms"),
        ("BACKUP_LOCK_TIMEOUT", "2 min", "120s"), ("BACKUP_LOCK_TIMEOUT", "1d", "86400s"),
        ("BACKUP_STATEMENT_TIMEOUT", "1ms", "1ms"), ("BACKUP_STATEMENT_TIMEOUT", "20d", "1728000s"),
        ("BACKUP_MAX_WAL_GROWTH", "1GiB", "1GiB"), ("BACKUP_RETENTION_DAYS", "36500", "36500"),
        ("DATABASE_URL", "sqlite:///srv/app.sqlite", "sqlite:/srv/app.sqlite"),
    ])
    func rightValues(name: String, text: String, shown: String) throws {
        #expect(try show([name: text]).setting(name) == (shown, "environment"))
    }

    static let wrong = [
        ("BACKUP_RETENTION_DAYS", "0"), ("BACKUP_RETENTION_DAYS", "-3"), ("BACKUP_RETENTION_DAYS", "+3"),
        ("BACKUP_RETENTION_DAYS", "thirty"), ("BACKUP_RETENTION_DAYS", "36501"), ("BACKUP_RETENTION_DAYS", "3.5"),
        ("BACKUP_COMPRESSION", "best"), ("BACKUP_COMPRESSION", "FAST"), ("BACKUP_MAX_ROW", "1023KiB"),
        ("BACKUP_MAX_ROW", "513MiB"), ("BACKUP_MAX_ROW", "256mib"), ("BACKUP_MAX_ROW", "256 MiB "),
        ("BACKUP_MAX_ROW", "MiB"), ("BACKUP_MAX_ROW", "99999999999999999999"),
        ("BACKUP_MAX_ROW", "9223372036854775807TiB"),
        ("BACKUP_MAX_ROW", "0x100000"), ("BACKUP_LOCK_TIMEOUT", "soon"), ("BACKUP_LOCK_TIMEOUT", "25h"),
        ("BACKUP_LOCK_TIMEOUT", "-1"), ("BACKUP_STATEMENT_TIMEOUT", "0"), ("BACKUP_STATEMENT_TIMEOUT", "21d"),
        ("BACKUP_STATEMENT_TIMEOUT", "none"), ("BACKUP_MAX_WAL_GROWTH", "0"), ("BACKUP_JOBS", "0"),
        ("BACKUP_JOBS", "+2"),
        ("BACKUP_MAX_WAL_GROWTH", "none"),
        ("BACKUP_S3_ENABLED", "maybe"),
    ]

    @Test("A wrong value stops with name, what was found and what is allowed", arguments: wrong)
    func wrongValues(name: String, text: String) throws {
        let run = try show([name: text])
        #expect(run.status == 64)
        #expect(run.object?["code"] as? String == "configuration")
        #expect(run.messages.hasPrefix("elder-backup: \(name) is \"\(text)\""))
        #expect(run.messages.contains("allowed is"))
        #expect(run.messages.split(separator: "\n").count == 1)
    }

    @Test("The file is named where the wrong value lies in it")
    func wrongValueInFile() throws {
        let run = try show(file: "BACKUP_COMPRESSION=best\n")
        #expect(run.status == 64)
        #expect(run.messages.contains("BACKUP_COMPRESSION in .env is \"best\""))
    }

    @Test("An address is never repeated", arguments: ["DATABASE_URL", "BACKUP_CATALOG_URL"])
    func secrets(name: String) throws {
        let run = try show([name: "mysql://ada:hunter2@host/db"])
        #expect(run.status == 64)
        #expect(run.messages.hasPrefix("elder-backup: \(name): not a database address"))
        #expect(!run.messages.contains("hunter2"))
        #expect(!run.output.contains("hunter2"))
    }

    @Test("A PostgreSQL address is shown without its password")
    func postgresql() throws {
        for variables in [
            ["DATABASE_URL": "postgresql://ada:hunter2@host:5433/db"],
            [
                "DB_TYPE": "postgres", "DB_HOST": "host", "DB_PORT": "5433", "DB_NAME": "db", "DB_USER": "ada",
                "DB_PASSWORD": "hunter2",
            ],
        ] {
            let run = try show(variables)
            #expect(run.status == 0, "\(run.messages)")
            #expect(run.output.contains("postgresql://ada@host:5433/db"))
            #expect(!run.output.contains("hunter2") && !run.messages.contains("hunter2"))
        }
        let catalog = try show(["BACKUP_CATALOG_URL": "postgresql://ada:hunter2@host/db"])
        #expect(catalog.status == 64)
        #expect(catalog.messages.contains("BACKUP_CATALOG_URL") && !catalog.messages.contains("hunter2"))
    }

    @Test("A variable that looks like one of ours and is not is told of")
    func unknownVariable() throws {
        let run = try show(["BACKUP_DIRECTORY": "/secret/place"], file: "BACKUP_RETENTION=4\n")
        #expect(run.status == 0)
        #expect(run.object != nil)
        let lines = run.messages.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(run.messages.contains("warning: the variable BACKUP_DIRECTORY in the environment is not known"))
        #expect(run.messages.contains("warning: the variable BACKUP_RETENTION in .env is not known"))
        #expect(!run.messages.contains("/secret/place"))
    }
}
