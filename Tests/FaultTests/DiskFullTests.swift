import BackupCatalog
import Foundation
import Glibc
import Testing

/// A file system of 2 MB that is full. Needs the right to mount; where CI runs without it, the tests fail.
@Suite(.enabled(if: FaultDirectory.canMount || ProcessInfo.processInfo.environment["CI"] == "true"))
struct DiskFullTests {
    /// Twice what the small file system holds, even compressed.
    private func makeLargeDatabase(_ path: String) throws {
        let database = try FaultDatabase(path)
        try database.run(
            """
            CREATE TABLE blobs(id INTEGER PRIMARY KEY, content BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 400)
            INSERT INTO blobs SELECT i, randomblob(10000) FROM n;
            """)
    }

    /// One line that names the path and says why.
    private func expectNoSpace(_ run: FaultRun, naming path: String) {
        #expect(run.status == 1)
        #expect(run.signal == nil)
        let lines = run.messages.split(separator: "\n").filter { !$0.hasPrefix("elder-backup: warning:") }
        #expect(lines.count == 1, "\(run.messages)")
        #expect(run.messages.contains("no space"), "\(run.messages)")
        #expect(run.messages.contains(path), "\(run.messages)")
        #expect(run.object?["success"] as? Bool == false)
    }

    private func fill(_ directory: FaultDirectory, leaving bytes: Int = 0) throws {
        let path = directory.path("ballast")
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 4096)
        var size = 0
        while write(descriptor, page, page.count) == page.count { size += page.count }
        guard errno == ENOSPC else { throw FaultFailure(description: "the file system cannot be filled: \(errno)") }
        ftruncate(descriptor, off_t(max(0, size - bytes)))
    }

    @Test("Backup: the archive, with the catalog elsewhere")
    func archive() async throws {
        let (large, small) = (try FaultDirectory(), try FaultDirectory(mountedWithSize: "2m"))
        let source = large.path("source.sqlite")
        try makeLargeDatabase(source)
        let arguments = [
            "backup", "--source", "sqlite:\(source)", "--backup-dir", small.path, "--catalog",
            "sqlite:\(large.path("catalog.sqlite"))", "--json",
        ]
        let run = try FaultRun(arguments, in: large)
        expectNoSpace(run, naming: small.path)
        #expect(!small.names.contains { $0.hasPrefix("backup_") || $0.contains("partial") })
        let list = try FaultRun(
            ["list", "--json", "--backup-dir", small.path, "--catalog", "sqlite:catalog.sqlite"], in: large)
        let records = try #require(list.object?["backups"] as? [[String: Any]])
        #expect(records.map { $0["status"] as? String } == ["failed"])
        #expect((records.first?["error_message"] as? String)?.contains("no space") == true)
        try FaultDatabase(source).run("DELETE FROM blobs WHERE id > 50; VACUUM")
        let next = try FaultRun(arguments, in: large)
        #expect(next.status == 0, "\(next.messages)")
    }

    @Test("Backup: the catalog lies on the same file system")
    func catalogToo() async throws {
        let (large, small) = (try FaultDirectory(), try FaultDirectory(mountedWithSize: "2m"))
        let source = large.path("source.sqlite")
        try makeLargeDatabase(source)
        let arguments = ["backup", "--source", "sqlite:\(source)", "--backup-dir", small.path, "--json"]
        let run = try FaultRun(arguments, in: large)
        expectNoSpace(run, naming: small.path)
        #expect(!small.names.contains { $0.hasPrefix("backup_") || $0.contains("partial") })
        try FaultDatabase(source).run("DELETE FROM blobs WHERE id > 50; VACUUM")
        let next = try FaultRun(arguments, in: large)
        #expect(next.status == 0, "\(next.messages)")
        try await Invariants(directory: small.path).check("after space was freed")
    }

    @Test("Backup: not a byte is left for the catalog", arguments: [0, 4096, 12288, 40960])
    func catalogFull(left: Int) async throws {
        let (large, small) = (try FaultDirectory(), try FaultDirectory(mountedWithSize: "2m"))
        let source = large.path("source.sqlite")
        try SampleDatabase.make(source, rows: 100, seed: 1)
        let arguments = ["backup", "--source", "sqlite:\(source)", "--backup-dir", small.path, "--json"]
        // The first makes the catalog.
        #expect(try FaultRun(arguments, in: large).status == 0)
        try fill(small, leaving: left)
        let run = try FaultRun(arguments, in: large)
        if run.status != 0 { expectNoSpace(run, naming: small.path) }
        unlink(small.path("ballast"))
        try await Invariants(directory: small.path).check("after space was freed")
        let next = try FaultRun(arguments, in: large)
        #expect(next.status == 0, "\(next.messages)")
        try await Invariants(directory: small.path).check("after the next backup")
    }

    @Test("Backup: a new catalog finds no space")
    func newCatalog() throws {
        let (large, small) = (try FaultDirectory(), try FaultDirectory(mountedWithSize: "2m"))
        let source = large.path("source.sqlite")
        try SampleDatabase.make(source, rows: 100, seed: 1)
        try fill(small)
        let arguments = [
            "backup", "--source", "sqlite:\(source)", "--backup-dir", large.path("backups"), "--catalog",
            "sqlite:\(small.path("catalog.sqlite"))", "--json",
        ]
        expectNoSpace(try FaultRun(arguments, in: large), naming: small.path("catalog.sqlite"))
        unlink(small.path("ballast"))
        let next = try FaultRun(arguments, in: large)
        #expect(next.status == 0, "\(next.messages)")
    }

    @Test("Backup: the private copy finds no space")
    func staging() async throws {
        let (large, small) = (try FaultDirectory(), try FaultDirectory(mountedWithSize: "2m"))
        let source = large.path("source.sqlite")
        try makeLargeDatabase(source)
        let run = try FaultRun(
            ["backup", "--source", "sqlite:\(source)", "--backup-dir", small.path, "--stage", "--json"], in: large)
        expectNoSpace(run, naming: small.path)
        #expect(!small.names.contains { $0.hasPrefix(".staging") || $0.contains("partial") })
        try await Invariants(directory: small.path).check("after a copy that found no space")
    }

    @Test("Restore: into a new file, and into a database")
    func restore() throws {
        let (large, small) = (try FaultDirectory(), try FaultDirectory(mountedWithSize: "2m"))
        let source = large.path("source.sqlite")
        try makeLargeDatabase(source)
        let backups = large.path("backups")
        #expect(
            try FaultRun(["backup", "--source", "sqlite:\(source)", "--backup-dir", backups], in: large).status == 0)
        let restore = ["restore", "1", "--backup-dir", backups, "--json", "--clear-existing", "--into"]
        expectNoSpace(
            try FaultRun(restore + ["sqlite:\(small.path("new.sqlite"))"], in: large), naming: small.path)
        #expect(small.names.isEmpty)

        let target = small.path("old.sqlite")
        try FaultDatabase(target).run("CREATE TABLE blobs(id INTEGER PRIMARY KEY, content BLOB)")
        try FaultDatabase(target).run("INSERT INTO blobs VALUES(7, 'kept')")
        let before = try DatabaseContent(of: target)
        expectNoSpace(try FaultRun(restore + ["sqlite:\(target)"], in: large), naming: target)
        #expect(small.names == ["old.sqlite"])
        try #expect(DatabaseContent(of: target) == before)
    }

    @Test("Download: nothing is left, not even where only the manifest finds no space", arguments: [0, 1])
    func download(leavesRoomForArchive: Int) throws {
        let (large, small) = (try FaultDirectory(), try FaultDirectory(mountedWithSize: "2m"))
        let source = large.path("source.sqlite")
        try SampleDatabase.make(source, rows: 3000, seed: 1)
        let backups = large.path("backups")
        let made = try FaultRun(
            ["backup", "--source", "sqlite:\(source)", "--backup-dir", backups, "--json"], in: large)
        let size = try #require(made.object?["file_size"] as? Int)
        try fill(small, leaving: leavesRoomForArchive * (size + 4095) / 4096 * 4096)
        let arguments = ["download", "1", "--output", small.path, "--backup-dir", backups, "--json"]
        expectNoSpace(try FaultRun(arguments, in: large), naming: small.path)
        #expect(small.names == ["ballast"])
        unlink(small.path("ballast"))
        let next = try FaultRun(arguments, in: large)
        #expect(next.status == 0, "\(next.messages)")
        #expect(small.names.count == 2)
    }
}
