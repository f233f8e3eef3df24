import Foundation
import Testing

/// How `.env` is read, seen through the value of one variable.
@Suite struct EnvironmentFileTests {
    private func show(_ file: String) throws -> CommandRun {
        let directory = try TemporaryDirectory()
        try directory.write(file, to: ".env")
        return try CommandRun(["config", "show", "--json"], in: directory)
    }

    @Test(arguments: [
        ("BACKUP_DIR=/a", "/a"),
        ("export BACKUP_DIR=/a", "/a"),
        ("export\tBACKUP_DIR=/a", "/a"),
        ("  BACKUP_DIR = /a  ", "/a"),
        ("BACKUP_DIR=/a # comment", "/a"),
        ("BACKUP_DIR=/a#b", "/a#b"),
        ("BACKUP_DIR=/a b", "/a b"),
        ("BACKUP_DIR='/a # $HOME \\n' # comment", "/a # $HOME \\n"),
        (#"BACKUP_DIR="/a \"b\" \\ \$HOME ${HOME}""#, #"/a "b" \ $HOME ${HOME}"#),
        ("BACKUP_DIR=$HOME/x", "$HOME/x"),
        ("BACKUP_DIR=/a\r\nOTHER=1\r\n", "/a"),
        ("\u{FEFF}# comment\n\n   \n#BACKUP_DIR=/b\nBACKUP_DIR=/a\n", "/a"),
        ("BACKUP_DIR=/a\nBACKUP_DIR=/b", "/b"),
        ("BACKUP_DIR=/a=b", "/a=b"),
        ("BACKUP_DIR='/später'", "/später"),
        ("BACKUP_DIR=", "/var/lib/elder/backups"),
    ])
    func values(file: String, value: String) throws {
        let run = try show(file)
        #expect(run.status == 0)
        let shown = try #require(run.setting("BACKUP_DIR").value)
        // A path is made absolute; what does not begin with a slash keeps its end.
        #expect(value.hasPrefix("/") ? shown == value : shown.hasSuffix("/" + value))
    }

    @Test(
        "A malformed line is named by its number, and never repeated",
        arguments: [
            ("OTHER=1\nhunter2\n", 2, "no \"=\""),
            ("1A=hunter2", 1, "the name before"),
            ("=hunter2", 1, "the name before"),
            ("A B=hunter2", 1, "the name before"),
            ("\n\nA='hunter2", 3, "the closing ' is missing"),
            ("A=\"hunter2\\\"", 1, "the closing \" is missing"),
            ("A='hunter2' more", 1, "text after the closing '"),
        ])
    func malformed(file: String, line: Int, reason: String) throws {
        let run = try show(file)
        #expect(run.status == 64)
        #expect(run.object?["code"] as? String == "configuration")
        #expect(run.messages.hasPrefix("elder-backup: .env line \(line): "))
        #expect(run.messages.contains(reason))
        #expect(!run.messages.contains("hunter2"))
    }

    @Test("What is not a text file is refused")
    func notAFile() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            at: directory.url.appending(path: ".env"), withIntermediateDirectories: false)
        let run = try CommandRun(["config", "show"], in: directory)
        #expect(run.status == 64)
        #expect(run.messages.hasPrefix("elder-backup: .env is not a file of settings"))
        let binary = try TemporaryDirectory()
        try Data([0x41, 0x3D, 0xFF, 0xFE]).write(to: binary.url.appending(path: ".env"))
        #expect(try CommandRun(["config", "show"], in: binary).messages == "elder-backup: .env is not UTF-8 text\n")
    }
}
