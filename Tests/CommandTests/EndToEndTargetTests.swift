import Foundation
import Glibc
import Testing

/// Targets that cannot be restored into, and a backup directory that cannot be used.
@Suite struct EndToEndTargetTests {
    /// Restores backup 1 and expects that nothing at all changes.
    private func expectRefused(
        _ test: EndToEnd, _ archive: String = "1", into target: String, _ arguments: [String] = [], status: Int32 = 1,
        code: String = "target", saying words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        _ = try test.run("list")
        let before = try test.tree()
        let run = try CommandRun(
            ["restore", archive, "--into", "sqlite:\(target)", "--json"] + arguments, environment: test.environment,
            in: test.directory)
        expectFailure(run, status: status, code: code, saying: words, sourceLocation: sourceLocation)
        #expect(try test.tree() == before, sourceLocation: sourceLocation)
    }

    private func backedUp() throws -> EndToEnd {
        let test = try EndToEnd()
        _ = try test.backup()
        return test
    }

    @Test func inMissingDirectory() throws {
        try expectRefused(
            backedUp(), into: "nowhere/new.sqlite", code: "storage", saying: ["nowhere", "no such file or directory"])
    }

    @Test func isDirectory() throws {
        let test = try backedUp()
        mkdir(test.path("folder"), 0o755)
        try expectRefused(test, into: "folder", saying: ["folder", "not a file", "give the path"])
    }

    @Test func notADatabase() throws {
        let test = try backedUp()
        try test.directory.write(String(repeating: "once upon a time ", count: 1000), to: "story.txt")
        try expectRefused(
            test, into: "story.txt", ["--clear-existing"], saying: ["story.txt", "not a SQLite database"])
    }

    @Test func holdsData() throws {
        try expectRefused(backedUp(), into: "app.sqlite", saying: ["users", "holds rows", "--clear-existing"])
    }

    @Test func isHeld() throws {
        let test = try backedUp()
        let other = try Database(test.path("held.sqlite"))
        try other.run(EndToEnd.schema + "BEGIN EXCLUSIVE")
        try expectRefused(test, into: "held.sqlite", ["--clear-existing"], saying: ["held.sqlite", "locked"])
    }

    @Test func unknownTables() throws {
        try expectRefused(
            backedUp(), into: "new.sqlite", ["--tables", "users,nothing"], code: "not_found", saying: ["nothing"])
    }

    @Test func noSuchBackup() throws {
        try expectRefused(backedUp(), "77", into: "new.sqlite", code: "not_found", saying: ["77", "list"])
        try expectRefused(
            backedUp(), "gone.json.gz", into: "new.sqlite", code: "not_found", saying: ["gone.json.gz", "list"])
    }

    static let targets: [(String, [String])] = [
        ("CREATE TABLE teams(id INTEGER PRIMARY KEY, name TEXT)", ["it has no table", "users"]),
        (
            schema(replacing: "age INTEGER CHECK(age < 200)", by: "age INTEGER CHECK(age < 40)"),
            ["table \"users\"", "2", "CHECK constraint failed"]
        ),
        (
            schema(replacing: "team_id INTEGER", by: "team_id INTEGER UNIQUE CHECK(team_id <> 2)"),
            ["table \"users\"", "CHECK constraint failed"]
        ),
        (schema(replacing: "line TEXT", by: "line TEXT NOT NULL, more TEXT NOT NULL"), ["logs", "NOT NULL"]),
        (schema(replacing: "amount INTEGER", by: "amount BLOB"), ["facts", "BLOB"]),
        (schema(replacing: "email TEXT", by: "mail TEXT"), ["users", "email", "lacks"]),
    ]

    private static func schema(replacing old: String, by new: String) -> String {
        let tables = EndToEnd.schema.components(separatedBy: "INSERT")[0]
        return tables.replacingOccurrences(of: old, with: new)
    }

    @Test("Tables that are missing or refuse a value", arguments: targets)
    func constraints(sql: String, words: [String]) throws {
        let test = try backedUp()
        try test.database("target.sqlite", sql)
        try expectRefused(test, into: "target.sqlite", saying: words)
    }

    @Test("Values that are there already")
    func unique() throws {
        let test = try backedUp()
        try test.database("target.sqlite", EndToEnd.schema + "DELETE FROM users; DELETE FROM facts; DELETE FROM logs;")
        try test.database("target.sqlite", "DELETE FROM teams; INSERT INTO users VALUES(9, 'bob@example.org', 1, NULL)")
        try expectRefused(
            test, into: "target.sqlite", ["--regenerate-ids"], saying: ["table \"users\"", "UNIQUE", "users.email"])
    }

    @Test("Rows whose parents would not be there")
    func foreignKeys() throws {
        let test = try backedUp()
        try test.database("target.sqlite", Self.schema(replacing: "", by: ""))
        try expectRefused(
            test, into: "target.sqlite", ["--tables", "users"], saying: ["users", "teams", "restore both tables"])
    }

    @Test("A target, and a directory, that may not be written")
    func noPermission() throws {
        let test = try backedUp()
        try test.database("readonly.sqlite", Self.schema(replacing: "", by: ""))
        chmod(test.path("readonly.sqlite"), 0o444)
        mkdir(test.path("closed"), 0o555)
        let archive = test.path("copy.json.gz")
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: test.path("backups")).first {
                $0.hasSuffix(".json.gz")
            })
        try FileManager.default.copyItem(atPath: test.path("backups/" + name), toPath: archive)
        chmod(archive, 0o644)
        let before = try test.read("readonly.sqlite")
        let environment = ["BACKUP_DIR": test.path("own"), "BACKUP_LOCK_TIMEOUT": "1s"]
        let existing = try Unprivileged.run(
            ["restore", "copy.json.gz", "--into", "sqlite:readonly.sqlite", "--json"], environment: environment,
            in: test.directory)
        expectFailure(existing, code: "target", saying: ["readonly.sqlite"])
        #expect(try test.read("readonly.sqlite") == before)
        let new = try Unprivileged.run(
            ["restore", "copy.json.gz", "--into", "sqlite:closed/new.sqlite", "--json"], environment: environment,
            in: test.directory)
        expectFailure(new, code: "storage", saying: ["closed", "permission denied"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: test.path("closed")).isEmpty)
        let backup = try Unprivileged.run(
            ["backup", "--source", "sqlite:app.sqlite", "--json"],
            environment: environment.merging(["BACKUP_DIR": test.path("closed")]) { $1 }, in: test.directory)
        expectFailure(backup, code: "storage", saying: ["BACKUP_DIR", "closed", "permission denied"])
        let below = try Unprivileged.run(
            ["backup", "--source", "sqlite:app.sqlite", "--json"],
            environment: environment.merging(["BACKUP_DIR": test.path("closed/new")]) { $1 }, in: test.directory)
        expectFailure(below, code: "storage", saying: ["BACKUP_DIR", "closed/new", "permission denied"])
    }

    @Test("BACKUP_DIR is made, with all above it, for this user alone")
    func missingDirectory() throws {
        let test = try EndToEnd()
        test.environment["BACKUP_DIR"] = test.path("a/b/c")
        _ = try test.backup()
        var status = stat()
        #expect(stat(test.path("a/b/c"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
    }

    @Test func directoryIsFile() throws {
        let test = try EndToEnd()
        try test.directory.write("precious", to: "file")
        for path in ["file", "file/below"] {
            let run = try test.run(
                "backup", "--source", "sqlite:app.sqlite", "--json", "--backup-dir", test.path(path))
            expectFailure(run, code: "storage", saying: ["BACKUP_DIR", path, "directory"])
        }
        #expect(try test.read("file") == Data("precious".utf8))
    }
}
