import Foundation
import Glibc
import Testing

/// Catalogs that cannot be used as they are, and secrets that must not come out.
@Suite struct EndToEndCatalogTests {
    private func expectRefused(
        _ test: EndToEnd, catalog: String, saying words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try test.tree()
        for arguments in [
            ["list"], ["stats"], ["backup", "--source", "sqlite:app.sqlite"], ["prune"], ["job", "list"],
        ] {
            let run = try CommandRun(
                arguments + ["--catalog", "sqlite:\(catalog)", "--json"], environment: test.environment,
                in: test.directory)
            expectFailure(run, code: "catalog", saying: [catalog] + words, sourceLocation: sourceLocation)
        }
        #expect(try test.tree() == before, sourceLocation: sourceLocation)
    }

    @Test func notADatabase() throws {
        let test = try EndToEnd()
        try test.directory.write(String(repeating: "once upon a time ", count: 1000), to: "story.sqlite")
        try expectRefused(test, catalog: "story.sqlite", saying: ["not a SQLite database", "BACKUP_CATALOG_URL"])
    }

    @Test func isDirectory() throws {
        let test = try EndToEnd()
        mkdir(test.path("folder"), 0o755)
        try expectRefused(test, catalog: "folder", saying: ["is a directory", "name a file"])
    }

    @Test func fromANewerVersion() throws {
        let test = try EndToEnd()
        _ = try test.backup()
        try test.database(
            "backups/catalog.sqlite", "UPDATE elder_backup_meta SET value='99' WHERE key='schema_version'")
        try expectRefused(test, catalog: "backups/catalog.sqlite", saying: ["newer", "99"])
        let migrate = try test.run("catalog", "migrate", "--json")
        expectFailure(migrate, code: "catalog", saying: ["newer"])
    }

    @Test("Elder's own tables are used once they have been migrated")
    func elder() throws {
        let test = try EndToEnd()
        try test.database(
            "elder.sqlite",
            """
            CREATE TABLE backup_jobs(id INTEGER PRIMARY KEY AUTOINCREMENT, name CHAR(255) NOT NULL, description TEXT,
                schedule CHAR(100), retention_days INTEGER, enabled CHAR(1), config_json TEXT, last_run_at TIMESTAMP,
                created_at TIMESTAMP, updated_at TIMESTAMP);
            CREATE TABLE backups(id INTEGER PRIMARY KEY AUTOINCREMENT, status CHAR(50), job_id INTEGER,
                file_path CHAR(512), filename CHAR(255), file_size BIGINT, record_count INTEGER,
                duration_seconds DOUBLE, error_message TEXT, started_at TIMESTAMP, completed_at TIMESTAMP,
                created_at TIMESTAMP, updated_at TIMESTAMP);
            INSERT INTO backup_jobs(id, name, retention_days, enabled) VALUES(4, 'nightly', 14, 'T');
            """)
        try expectRefused(test, catalog: "elder.sqlite", saying: ["catalog migrate"])
        let catalog = ["--catalog", "sqlite:elder.sqlite"]
        let migrate = try test.run("catalog", "migrate", catalog[0], catalog[1], "--json")
        #expect(migrate.status == 0, "\(migrate.messages)")
        let backup = try test.run(
            "backup", "--source", "sqlite:app.sqlite", "--job", "nightly", catalog[0], catalog[1], "--json")
        #expect(backup.status == 0, "\(backup.messages)")
        #expect((backup.object?["filename"] as? String)?.hasPrefix("backup_4_") == true)
        #expect(try test.run("verify", "--all", catalog[0], catalog[1]).status == 0)
        let again = try test.run("catalog", "migrate", catalog[0], catalog[1])
        #expect(again.status == 0)
    }

    @Test("A job that another program left unreadable is shown, and repaired or deleted by the command")
    func unreadableJob() throws {
        let test = try EndToEnd()
        for name in ["one", "two"] {
            #expect(try test.run("job", "create", name, "--source", "sqlite:app.sqlite").status == 0)
        }
        let damage = #"UPDATE backup_jobs SET config_json='{"include_tables":"users"}' WHERE id=2"#
        try test.database("backups/catalog.sqlite", damage)
        let list = try test.run("job", "list")
        #expect(list.status == 0 && list.output.contains("one"))
        #expect(list.output.contains("cannot be run: job 2: config_json cannot be read"), "\(list.output)")
        #expect(try test.run("job", "run", "one").status == 0)
        #expect(try test.run("prune", "--dry-run").status == 0)
        let run = try test.run("job", "run", "two")
        #expect(run.status != 0 && run.messages.contains("config_json cannot be read"), "\(run.messages)")
        let repair = try test.run("job", "update", "2", "--tables", "users,teams", "--exclude-tables", "")
        #expect(repair.status == 0 && !repair.output.contains("cannot"), "\(repair.messages)")
        #expect(try test.run("job", "run", "two").status == 0)
        try test.database("backups/catalog.sqlite", damage)
        #expect(try test.run("job", "delete", "two", "--yes").status == 0)
        #expect(try test.run("job", "list").output.contains("cannot") == false)
    }

    @Test("A lost catalog is made anew from the archives")
    func rebuilt() throws {
        let test = try EndToEnd()
        let archive = try test.backup()
        unlink(test.path("backups/catalog.sqlite"))
        #expect(try test.run("catalog", "rebuild", "--from-dir", "backups").status == 0)
        #expect(try test.states() == [1: "completed"])
        #expect(try test.run("verify", "--all").status == 0)
        #expect(access(archive, F_OK) == 0)
    }

    static let secret = "pa55-Zebra-w0rd"

    static let commands: [[String]] = [
        ["config", "show"], ["list"], ["stats"], ["backup"], ["backup", "--source", "sqlite:app.sqlite"],
        ["backup", "--source", "postgresql://ada:\(secret)@host/db"], ["backup", "--job", "nothing"],
        ["backup", "--catalog", "postgresql://ada:\(secret)@host/db"],
        ["restore", "1", "--into", "mysql://ada:\(secret)@host/db"], ["restore", "1", "--into", "sqlite:new.sqlite"],
        ["restore", "1", "--into", "sqlite:app.sqlite"], ["verify", "--all"], ["show", "1"], ["show", "99"],
        ["download", "1", "--output", "none/x"], ["delete", "99", "--yes"], ["prune"], ["job", "list"],
        ["job", "create", "j", "--source", "postgresql://ada:\(secret)@host/db"],
        ["job", "update", "default", "--source", "mysql://ada:\(secret)@host/db"],
        ["catalog", "migrate"], ["catalog", "rebuild", "--from-dir", "backups"], ["demo", "sample"], ["nonsense"],
    ]

    @Test("What is secret never comes out, wherever it was put", arguments: [true, false])
    func secrets(inFile: Bool) throws {
        let address = "postgresql://ada:\(Self.secret)@host/db"
        let plain = [
            "BACKUP_S3_ENABLED": "false", "BACKUP_S3_ACCESS_KEY": Self.secret, "BACKUP_S3_SECRET_KEY": Self.secret,
            "JWT_SECRET_KEY": Self.secret, "SECRET_KEY": Self.secret, "BACKUP_SOMETHING": Self.secret,
        ]
        let sets = [
            plain, ["DATABASE_URL": address], ["BACKUP_CATALOG_URL": address], ["BACKUP_S3_ENABLED": "true"],
            ["BACKUP_MAX_ROW": "none"],
        ].map { $0.merging(plain) { first, _ in first } }
        for variables in sets {
            let test = try EndToEnd()
            if inFile {
                let lines = variables.map { "\($0)='\($1)'\n" }.joined()
                try test.directory.write(lines, to: ".env")
            } else {
                test.environment.merge(variables) { $1 }
            }
            for command in Self.commands {
                for json in [[], ["--json"]] {
                    let run = try CommandRun(command + json, environment: test.environment, in: test.directory)
                    #expect(!run.output.contains(Self.secret), "\(command): \(run.output)")
                    #expect(!run.messages.contains(Self.secret), "\(command): \(run.messages)")
                }
            }
        }
    }
}
