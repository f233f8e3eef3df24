import Foundation
import Glibc
import Testing

/// Sources that cannot be backed up.
@Suite struct EndToEndSourceTests {
    private func expectRefused(
        _ test: EndToEnd, _ arguments: [String] = [], source: String, code: String = "source", saying words: [String],
        environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        // The catalog exists, with a good backup.
        _ = try test.backup()
        let before = try test.tree()
        let run = try CommandRun(
            ["backup", "--source", "sqlite:\(source)", "--json"] + arguments,
            environment: test.environment.merging(environment) { $1 }, in: test.directory)
        expectFailure(run, code: code, saying: words, sourceLocation: sourceLocation)
        var after = try test.tree()
        #expect(after["backups/catalog.sqlite"] != nil)
        after["backups/catalog.sqlite"] = before["backups/catalog.sqlite"]
        #expect(after == before, sourceLocation: sourceLocation)
        #expect(try test.states() == [1: "completed", 2: "failed"], sourceLocation: sourceLocation)
    }

    @Test func missing() throws {
        try expectRefused(
            EndToEnd(), source: "none.sqlite", saying: ["none.sqlite", "no such file", "check the path"])
    }

    @Test func isDirectory() throws {
        let test = try EndToEnd()
        try FileManager.default.createDirectory(atPath: test.path("folder"), withIntermediateDirectories: true)
        try expectRefused(test, source: "folder", saying: ["folder", "it is a directory", "name a file"])
    }

    @Test func notADatabase() throws {
        let test = try EndToEnd()
        try test.directory.write(String(repeating: "once upon a time ", count: 1000), to: "story.sqlite")
        try expectRefused(test, source: "story.sqlite", saying: ["story.sqlite", "not a SQLite database"])
    }

    @Test func empty() throws {
        let test = try EndToEnd()
        try test.directory.write("", to: "empty.sqlite")
        try expectRefused(test, source: "empty.sqlite", saying: ["empty.sqlite", "0 bytes", "check the path"])
    }

    @Test("An encrypted database is random bytes from its beginning")
    func encrypted() throws {
        let test = try EndToEnd()
        try test.write((0..<40_000).map { _ in UInt8.random(in: 0...255) }, to: "encrypted.sqlite")
        try expectRefused(test, source: "encrypted.sqlite", saying: ["encrypted.sqlite", "encrypted"])
    }

    @Test("A page is overwritten in the midst of a table")
    func corruptPage() throws {
        let test = try EndToEnd()
        try test.database(
            "broken.sqlite",
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5000)
            INSERT INTO t SELECT i, 'some text that fills pages ' || i FROM n;
            """)
        var bytes = try test.read("broken.sqlite")
        let page = bytes.count / 2 / 4096 * 4096
        bytes.replaceSubrange(page..<page + 4096, with: Data(repeating: 0xA5, count: 4096))
        try test.write(bytes, to: "broken.sqlite")
        try expectRefused(
            test, source: "broken.sqlite", saying: ["table \"t\"", "broken.sqlite", "corrupt", "integrity_check"])
    }

    @Test("Another process holds the database and never lets go")
    func locked() throws {
        let test = try EndToEnd()
        let other = try Database(test.path("held.sqlite"))
        try other.run("CREATE TABLE t(a); BEGIN EXCLUSIVE")
        try expectRefused(test, source: "held.sqlite", saying: ["held.sqlite", "locked", "run again"])
        try other.run("ROLLBACK")
        #expect(try test.run("backup", "--source", "sqlite:held.sqlite").status == 0)
    }

    @Test func noSuchTable() throws {
        try expectRefused(
            EndToEnd(), ["--tables", "users,nothing"], source: "app.sqlite", code: "not_found",
            saying: ["nothing", "--tables", "check the spelling"])
        try expectRefused(
            EndToEnd(), ["--exclude-tables", "nothing"], source: "app.sqlite", code: "not_found",
            saying: ["nothing", "--exclude-tables", "check the spelling"])
    }

    @Test("A row larger than is allowed is named by table and key")
    func largeRow() throws {
        let test = try EndToEnd()
        try test.database(
            "large.sqlite", "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB); INSERT INTO t VALUES(5, zeroblob(1100000))"
        )
        try expectRefused(
            test, source: "large.sqlite", code: "unsupported", saying: ["table \"t\"", "5", "BACKUP_MAX_ROW"],
            environment: ["BACKUP_MAX_ROW": "1MiB"])
    }

    @Test("A database that may not be read")
    func noPermission() throws {
        let test = try EndToEnd()
        try test.database("private.sqlite", "CREATE TABLE t(a)")
        chmod(test.path("private.sqlite"), 0)
        let run = try Unprivileged.run(
            ["backup", "--source", "sqlite:private.sqlite", "--json"], environment: test.environment,
            in: test.directory)
        expectFailure(run, code: "source", saying: ["private.sqlite", "permission denied"])
    }

    @Test("Nothing is named to be backed up")
    func noSource() throws {
        let test = try EndToEnd()
        expectFailure(
            try test.run("backup", "--json"), status: 64, code: "usage", saying: ["--source", "DATABASE_URL"])
    }
}

/// Runs the program as a user whom permissions hold back.
enum Unprivileged {
    private static let nobody: UInt32 = 65534

    static func run(
        _ arguments: [String], environment: [String: String], in directory: TemporaryDirectory
    ) throws -> CommandRun {
        guard geteuid() == 0 else { return try CommandRun(arguments, environment: environment, in: directory) }
        // The build's own folder may be closed to others.
        let copy = directory.url.appending(path: ".program")
        try FileManager.default.copyItem(at: CommandRun.program, to: copy)
        chmod(copy.path(percentEncoded: false), 0o755)
        defer { try? FileManager.default.removeItem(at: copy) }
        let path = directory.path("")
        chown(path, nobody, nobody)
        for name in try FileManager.default.contentsOfDirectory(atPath: path) where !name.hasPrefix(".") {
            lchown(directory.path(name), nobody, nobody)
        }
        let user = ["--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups"]
        return try CommandRun(
            user + [copy.path(percentEncoded: false)] + arguments, environment: environment, in: directory,
            program: URL(filePath: "/usr/bin/setpriv"))
    }
}
