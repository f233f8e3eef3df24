import Foundation
import Glibc
import Testing

/// Archives that are not what they should be.
@Suite struct EndToEndArchiveTests {
    /// `verify` and `restore` both refuse, and change nothing.
    private func expectDamaged(
        _ test: EndToEnd, _ name: String, saying words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        _ = try test.run("list")
        let before = try test.tree()
        let verified = try test.run("verify", name, "--json")
        #expect(verified.status == 4, "\(verified.messages)", sourceLocation: sourceLocation)
        #expect(verified.object?["ok"] as? Bool == false, sourceLocation: sourceLocation)
        #expect(verified.messages.split(separator: "\n").count == 1, sourceLocation: sourceLocation)
        for arguments in [["--into", "sqlite:app.sqlite", "--clear-existing"], ["--into", "sqlite:new.sqlite"]] {
            let run = try CommandRun(
                ["restore", name, "--json"] + arguments, environment: test.environment, in: test.directory)
            if run.object?["code"] as? String == "target" {
                // What Elder wrote cannot make a database anew, and that is found first.
                #expect(arguments.contains("sqlite:new.sqlite"), "\(run.messages)", sourceLocation: sourceLocation)
                #expect(run.status == 1, sourceLocation: sourceLocation)
            } else {
                expectFailure(
                    run, status: 4, code: "damaged", saying: [name] + words, sourceLocation: sourceLocation)
            }
        }
        #expect(try test.tree() == before, sourceLocation: sourceLocation)
    }

    private func copied() throws -> (EndToEnd, [UInt8]) {
        let test = try EndToEnd()
        let archive = try test.backup()
        return (test, [UInt8](try Data(contentsOf: URL(filePath: archive))))
    }

    @Test("Cut short", arguments: [0.0, 0.1, 0.5, 0.9, 0.999])
    func truncated(part: Double) throws {
        let (test, bytes) = try copied()
        try test.write(bytes.prefix(Int(part * Double(bytes.count))), to: "cut.json.gz")
        try expectDamaged(test, "cut.json.gz", saying: [])
    }

    @Test("One byte is another", arguments: [0.0, 0.2, 0.4, 0.6, 0.8, 0.999])
    func corrupt(part: Double) throws {
        var (test, bytes) = try copied()
        bytes[Int(part * Double(bytes.count))] ^= 0x10
        try test.write(bytes, to: "corrupt.json.gz")
        try expectDamaged(test, "corrupt.json.gz", saying: [])
    }

    @Test("The catalog's own backup was altered, or exchanged for another")
    func damagedBackup() throws {
        let test = try EndToEnd()
        let first = try test.backup()
        try test.database("app.sqlite", "DELETE FROM logs")
        let second = try test.backup()
        // Another backup under the first one's name, complete with its manifest.
        for suffix in ["", ".manifest.json"] {
            unlink(first + suffix)
            try FileManager.default.copyItem(atPath: second + suffix, toPath: first + suffix)
        }
        let run = try test.run("restore", "1", "--into", "sqlite:new.sqlite", "--json")
        expectFailure(run, status: 4, code: "damaged", saying: ["backup 1", "SHA-256"])
        #expect(access(test.path("new.sqlite"), F_OK) != 0)
        let download = try test.run("download", "1", "--output", "out.json.gz", "--json")
        expectFailure(download, status: 4, code: "damaged", saying: ["SHA-256"])
        #expect(access(test.path("out.json.gz"), F_OK) != 0)
        let verify = try test.run("verify", "--all", "--json")
        #expect(verify.status == 4)
        #expect(verify.object?["damaged"] as? Int == 1)
        let gone = try Data(contentsOf: URL(filePath: second))
        unlink(second)
        let missing = try test.run("restore", "2", "--into", "sqlite:new.sqlite", "--json")
        expectFailure(missing, code: "not_found", saying: ["backup 2", second])
        #expect(!gone.isEmpty)
    }

    @Test(
        "Not gzip, not JSON, not a backup",
        arguments: [
            ("", "empty"), ("SQLite format 3\0", "neither gzip nor JSON"),
        ])
    func notGzip(text: String, word: String) throws {
        let test = try EndToEnd()
        try test.directory.write(text, to: "odd.json.gz")
        try expectDamaged(test, "odd.json.gz", saying: [word])
    }

    static let texts: [(text: String, word: String)] = [
        ("not JSON", "not a backup"),
        ("[]", "not a backup"),
        ("{}", "version"),
        ("{\"version\":\"1.0\"}", "tables"),
        ("{\"version\":\"1.0\",\"tables\":{\"users\":[{\"id\":1,\"email\":\"a\"}", "altered"),
        ("{\"version\":\"1.0\",\"tables\":{\"users\":[{\"id\":1,\"email\":\"a\"}]}} more", "altered"),
        ("{\"version\":\"1.0\",\"tables\":{\"users\":[{\"id\":1,\"email\":\"\u{1}\"}]}}", ""),
        ("{\"version\":\"1.0\",\"tables\":{\"users\":[7]}}", ""),
        ("{\"version\":\"1.0\",\"tables\":{\"users\":{\"error\":\"no such table\"}}}", "users"),
        ("{\"version\":\"1.0\",\"tables\":{\"users\":[]},\"tables\":{}}", "there twice"),
        ("{\"version\":\"1.0\",\"tables\":{\"users\":[],\"users\":[]}}", "there twice"),
        (String(repeating: "[", count: 2_000_000), "not a backup"),
        (
            "{\"version\":\"1.0\",\"tables\":{\"users\":[{\"id\":" + String(repeating: "[", count: 500_000),
            "nested"
        ),
        ("{\"version\":\"1.0\",\"more\":" + String(repeating: "{\"a\":", count: 500_000), "nested"),
    ]

    @Test("Text that is no backup", arguments: texts.indices)
    func noBackup(index: Int) throws {
        let test = try EndToEnd()
        try test.write(StoredGzip.data(Self.texts[index].text), to: "odd.json.gz")
        try expectDamaged(test, "odd.json.gz", saying: Self.texts[index].word.isEmpty ? [] : [Self.texts[index].word])
    }

    @Test("A key that stands twice in a row is refused, by table and row")
    func duplicateKey() throws {
        let test = try EndToEnd()
        try test.write(
            StoredGzip.data(
                "{\"version\":\"1.0\",\"tables\":{\"users\":[{\"id\":1,\"email\":\"a\",\"email\":\"b\"}]}}"),
            to: "twice.json.gz")
        let before = try test.tree()
        let run = try test.run(
            "restore", "twice.json.gz", "--into", "sqlite:app.sqlite", "--clear-existing", "--json", "--catalog",
            "sqlite:catalog.sqlite")
        expectFailure(
            run, status: 4, code: "damaged", saying: ["twice.json.gz, table \"users\", row", "\"email\"", "twice"])
        var after = try test.tree()
        after["catalog.sqlite"] = nil
        #expect(after == before)
    }

    @Test(
        "A few kilobytes that unfold to gigabytes end soon, in little memory",
        arguments: [
            // White space between rows, a row without end, a key without end.
            ("{\"version\":\"1.0\",\"tables\":{\"users\":[", " "),
            ("{\"version\":\"1.0\",\"tables\":{\"users\":[{\"id\":1,\"email\":\"", "a"),
            ("{\"version\":\"1.0\",\"", "a"),
        ])
    func bomb(head: String, filler: String) throws {
        let test = try EndToEnd()
        try test.directory.write(head, to: "head")
        let made = try test.shell(
            """
            gzip -c head > bomb.json.gz
            head -c 50000000 /dev/zero | tr '\\0' '\(filler)' | gzip -9 > part.gz
            for i in $(seq 40); do cat part.gz; done >> bomb.json.gz; rm part.gz
            """)
        #expect(made.status == 0, "\(made.messages)")
        _ = try test.run("list")
        let before = try test.tree()
        // Of address space, of which the largest row that is allowed takes a part.
        let run = try test.shell(
            "ulimit -v 2500000; elder-backup restore bomb.json.gz --into sqlite:app.sqlite --clear-existing --json")
        expectFailure(run, status: 4, code: "damaged", saying: ["bomb.json.gz"])
        #expect(try test.tree() == before)
    }
}
