import BackupEngine
import BackupFiles
import Foundation
import Testing

@Suite struct KnownDigestTests {
    @Test("A file is read once for its digest, and again once it was written to or another has taken its name")
    func once() throws {
        let path = NSTemporaryDirectory() + "digest-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let url = URL(filePath: path)
        let digests = KnownDigests()
        var steps = 0
        func digest() throws -> String { try digests.sha256(of: try InputFile(path: path)) { steps += 1 } }
        try Data(repeating: 1, count: 1 << 20).write(to: url)
        let first = try digest()
        let once = steps
        #expect(once > 0)
        #expect(try digest() == first && steps == once)
        // In place, and of the same length.
        let handle = try FileHandle(forWritingTo: url)
        try handle.seek(toOffset: 1_000)
        // The clock of the file system has to have gone on by a tick.
        usleep(50_000)
        try handle.write(contentsOf: Data([2]))
        try handle.close()
        let second = try digest()
        #expect(second != first && steps == 2 * once)
        try Data(repeating: 1, count: 1 << 20).write(to: url, options: .atomic)
        #expect(try digest() == first && steps == 3 * once)
    }

    @Test("Reading can be ended before it is over, and nothing is remembered then")
    func ended() throws {
        struct Enough: Error {}
        let path = NSTemporaryDirectory() + "digest-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 1, count: 1 << 20).write(to: URL(filePath: path))
        let digests = KnownDigests()
        #expect(throws: Enough.self) { _ = try digests.sha256(of: try InputFile(path: path)) { throw Enough() } }
        var steps = 0
        _ = try digests.sha256(of: try InputFile(path: path)) { steps += 1 }
        #expect(steps > 0)
    }
}
