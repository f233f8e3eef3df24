import Foundation
import Glibc
import Testing

/// Runs that are interrupted, that meet one another, and whose output has nowhere to go.
@Suite struct EndToEndRunTests {
    /// A run that takes long enough to be met in its midst.
    final class Running {
        let process = Process()
        private let messages: URL

        init(_ arguments: [String], _ test: EndToEnd) throws {
            messages = test.directory.url.appending(path: "messages-\(UUID().uuidString)")
            try Data().write(to: messages)
            process.executableURL = CommandRun.program
            process.arguments = arguments
            process.environment = test.environment
            process.currentDirectoryURL = test.directory.url
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: messages)
            try process.run()
        }

        /// Waits until a file is there whose name has this in it; false where the process ended before.
        func waitForFile(_ part: String, in directory: String) -> Bool {
            while process.isRunning {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
                if names.contains(where: { $0.contains(part) }) { return true }
                sched_yield()
            }
            return false
        }

        func end() throws -> (status: Int32, messages: String) {
            process.waitUntilExit()
            let text = try String(decoding: Data(contentsOf: messages), as: UTF8.self)
            return (process.terminationStatus, text)
        }
    }

    private func large() throws -> EndToEnd {
        try EndToEnd(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 400000)
            INSERT INTO t SELECT i, 'some text that takes its time ' || (i * 7919) FROM n;
            """)
    }

    @Test("A backup that is interrupted cleans up", arguments: [SIGINT, SIGTERM, SIGHUP])
    func interruptedBackup(signal: Int32) throws {
        let test = try large()
        let run = try Running(["backup", "--source", "sqlite:app.sqlite"], test)
        try #require(run.waitForFile(".partial", in: test.path("backups")))
        kill(run.process.processIdentifier, signal)
        let end = try run.end()
        #expect(end.status == 128 + signal)
        #expect(end.messages.contains("cancelled"), "\(end.messages)")
        let names = try FileManager.default.contentsOfDirectory(atPath: test.path("backups"))
        #expect(names.sorted() == [".locks", "catalog.sqlite"])
        #expect(try test.states() == [1: "failed"])
    }

    @Test("A restore that is interrupted cleans up", arguments: [SIGINT, SIGTERM], [true, false])
    func interruptedRestore(signal: Int32, isNew: Bool) throws {
        let test = try large()
        _ = try test.backup()
        if !isNew { try test.database("target.sqlite", "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT)") }
        let before = try test.tree()
        let run = try Running(["restore", "1", "--into", "sqlite:target.sqlite"], test)
        let sign = isNew ? ".target.sqlite.restoring-" : "target.sqlite-journal"
        try #require(run.waitForFile(sign, in: test.path("")))
        kill(run.process.processIdentifier, signal)
        let end = try run.end()
        #expect(end.status == 128 + signal)
        #expect(end.messages.contains("cancelled"), "\(end.messages)")
        let after = try test.tree().filter { !$0.key.hasPrefix("messages-") }
        #expect(after == before)
    }

    @Test("Two runs of one job: the second is told of the first")
    func sameJob() throws {
        let test = try large()
        let first = try Running(["backup", "--source", "sqlite:app.sqlite"], test)
        try #require(first.waitForFile(".partial", in: test.path("backups")))
        kill(first.process.processIdentifier, SIGSTOP)
        let second = try test.run("backup", "--source", "sqlite:app.sqlite", "--json")
        let inspection = try test.run("list", "--json")
        kill(first.process.processIdentifier, SIGCONT)
        expectFailure(
            second, status: 5, code: "locked", saying: ["another run", "\(first.process.processIdentifier)", "wait"])
        #expect(inspection.status == 0)
        let end = try first.end()
        #expect(end.status == 0, "\(end.messages)")
        #expect(try test.states() == [1: "completed"])
        #expect(try test.run("verify", "--all").status == 0)
    }

    @Test("Ten jobs at once: all complete, each under its own name")
    func manyJobs() throws {
        let test = try EndToEnd()
        for index in 0..<10 {
            #expect(try test.run("job", "create", "job\(index)", "--source", "sqlite:app.sqlite").status == 0)
        }
        let runs = try (0..<10).map { try Running(["job", "run", "job\($0)"], test) }
        for run in runs {
            let end = try run.end()
            #expect(end.status == 0, "\(end.messages)")
        }
        let states = try test.states()
        #expect(states.count == 10)
        #expect(states.values.allSatisfy { $0 == "completed" })
        let names = try FileManager.default.contentsOfDirectory(atPath: test.path("backups"))
        #expect(names.filter { $0.hasSuffix(".json.gz") }.count == 10)
        #expect(try test.run("verify", "--all").status == 0)
    }

    @Test("Two backups in one second: the second name gets a number")
    func sameSecond() throws {
        let test = try EndToEnd()
        var names: [String] = []
        while names.count < 40, !names.contains(where: { $0.hasSuffix("_2.json.gz") }) {
            names.append(URL(filePath: try test.backup()).lastPathComponent)
        }
        let second = try #require(names.last { $0.hasSuffix("_2.json.gz") })
        #expect(names.contains(second.replacingOccurrences(of: "_2.json.gz", with: ".json.gz")))
        #expect(Set(names).count == names.count)
        #expect(try test.run("verify", "--all").status == 0)
        #expect(try test.run("restore", second, "--into", "sqlite:new.sqlite", "--prove").status == 0)
    }

    @Test("A reader that goes away")
    func closedPipe() throws {
        let test = try EndToEnd()
        _ = try test.backup()
        for command in ["list", "list --json", "config show", "stats", "show 1", "archive cat backups/backup_*.gz"] {
            let run = try test.shell("set -o pipefail; elder-backup \(command) | head -0")
            #expect(run.status == 141 || run.status == 0 || run.status == 1, "\(command): \(run.status)")
            #expect(!run.messages.contains("rash"), "\(run.messages)")
        }
    }

    @Test("Output that is lost is a failure; the backup itself is there")
    func fullDevice() throws {
        let test = try EndToEnd()
        for command in [
            "backup --source sqlite:app.sqlite", "list", "list --json", "verify --all", "show 1", "stats --json",
            "archive cat backups/backup_*.json.gz", "archive inspect backups/backup_*.json.gz", "--help",
            "--generate-completion-script bash",
        ] {
            let run = try test.shell("elder-backup \(command) > /dev/full")
            #expect(run.status == 1, "\(command): \(run.messages)")
            #expect(run.messages.contains("no space left"), "\(command): \(run.messages)")
        }
        #expect(try test.states() == [1: "completed"])
    }

    @Test("Without standard error, a command still does its work")
    func closedMessages() throws {
        let test = try EndToEnd()
        let run = try test.shell("elder-backup backup --source sqlite:app.sqlite --json 2>&-")
        #expect(run.status == 0)
        #expect(run.object != nil)
        #expect(try test.shell("elder-backup list >&- 2>&-").status == 1)
        #expect(try test.run("verify", "--all").status == 0)
    }
}
