import Foundation
import Testing

@Suite struct UsageTests {
    static let wrong: [[String]] = [
        ["bakup"],
        ["backup", "--unknown"],
        ["backup", "--source"],
        ["backup", "--source", "mysql://ada:hunter2@host/db"],
        ["backup", "--source", "sqlite:"],
        ["backup", "--source", "sqlite:a.sqlite", "--tables", "a,,b"],
        ["backup", "--source", "sqlite:a.sqlite", "--exclude-tables", ""],
        ["restore"],
        ["restore", "1"],
        ["restore", "", "--into", "sqlite:a.sqlite"],
        ["restore", "1", "--into", "mysql://ada:hunter2@host/db"],
        ["verify"],
        ["verify", "1", "--all"],
        ["verify", "--all", "--job", "nightly"],
        ["list", "--limit", "0"],
        ["list", "--limit", "many"],
        ["show"],
        ["delete", "1"],
        ["archive", "cat"],
        ["catalog", "rebuild"],
        ["job", "create"],
        ["job", "create", "12"],
        ["job", "create", "nightly", "--retention-days", "0"],
        ["job", "create", "nightly", "--source", "nothing"],
        ["job", "update", "nightly"],
        ["job", "list", "--enabled", "--disabled"],
        ["demo"],
        ["demo", ""],
    ]

    @Test("Wrong usage: status 64, one line, nothing on standard output, nothing made", arguments: wrong)
    func text(arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        let run = try CommandRun(arguments, environment: ["BACKUP_DIR": directory.path("backups")], in: directory)
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
        #expect(run.messages.hasPrefix("elder-backup: "))
        #expect(run.messages.split(separator: "\n").count == 1)
        #expect(!run.messages.contains("hunter2"))
        #expect(!FileManager.default.fileExists(atPath: directory.path("backups")))
    }

    @Test(
        "With --json the failure is an object too",
        arguments: wrong.filter { $0.last != "--source" && !($0.starts(with: ["archive", "cat"])) })
    func json(arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        let environment = ["BACKUP_DIR": directory.path("backups")]
        let run = try CommandRun(arguments + ["--json"], environment: environment, in: directory)
        #expect(run.status == 64)
        #expect(run.object?["success"] as? Bool == false)
        #expect(run.object?["code"] as? String == "usage")
        let error = try #require(run.object?["error"] as? String)
        #expect(run.messages == "elder-backup: \(error)\n")
        #expect(!run.output.contains("hunter2"))
    }

    @Test("A reader that goes away ends the program as SIGPIPE does")
    func brokenPipe() throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let run = try CommandRun(["--help"], in: TemporaryDirectory(), output: pipe.fileHandleForWriting)
        #expect(run.status == 141)
        #expect(run.messages.isEmpty)
    }

    @Test("Output that cannot be written is a failure")
    func fullDevice() throws {
        let full = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
        let run = try CommandRun(["config", "show"], in: TemporaryDirectory(), output: full)
        #expect(run.status == 1)
        #expect(run.messages.contains("cannot write to standard output: no space left"))
    }
}
