import Foundation
import Testing

@Suite struct DemoTests {
    @Test("The sample database is the same on every run")
    func reproducible() throws {
        let directory = try TemporaryDirectory()
        let first = try CommandRun(["demo", "first", "--json"], in: directory)
        #expect(first.status == 0)
        #expect(first.messages.isEmpty)
        #expect(first.object?["path"] as? String == "first/tracker.sqlite")
        #expect(try #require(first.object?["rows"] as? Int) > 5000)
        #expect(try CommandRun(["demo", "second"], in: directory).status == 0)
        let one = try Data(contentsOf: directory.url.appending(path: "first/tracker.sqlite"))
        let two = try Data(contentsOf: directory.url.appending(path: "second/tracker.sqlite"))
        #expect(one.starts(with: Data("SQLite format 3\0".utf8)))
        #expect(one == two)
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path("first"))
        #expect(files == ["tracker.sqlite"])
    }

    @Test("A file that exists is never overwritten")
    func existing() throws {
        let directory = try TemporaryDirectory()
        try directory.write("precious", to: "tracker.sqlite")
        let run = try CommandRun(["demo", ".", "--json"], in: directory)
        #expect(run.status == 1)
        #expect(run.object?["code"] as? String == "storage")
        #expect(run.messages.contains("it exists already"))
        #expect(try String(contentsOfFile: directory.path("tracker.sqlite"), encoding: .utf8) == "precious")
    }

    @Test("A directory that cannot be made is told of")
    func noDirectory() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "file")
        let run = try CommandRun(["demo", "file/below"], in: directory)
        #expect(run.status == 1)
        #expect(
            run.messages
                == "elder-backup: cannot create the directory file/below: a part of the path is not a directory\n")
    }
}
