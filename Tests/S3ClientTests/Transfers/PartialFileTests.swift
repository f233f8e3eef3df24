import Foundation
import Glibc
import S3Client
import Testing

@Suite final class PartialFileTests {
    private let directory = NSTemporaryDirectory() + "partial-" + UUID().uuidString
    private var path: String { directory + "/file" }
    private let parts = TransferPart.all(ofObjectOf: 25, partSize: 10)

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Opens, and notes one part as arrived.
    private func begin(etag: String = "\"e\"", _ number: Int = 2) throws {
        let file = try PartialFile(path: path, etag: etag, size: 25, parts: parts)
        let bytes = [UInt8](repeating: 7, count: 10)
        #expect(pwrite(file.descriptor, bytes, 10, 10) == 10)
        try file.note(parts[number - 1])
    }

    private func arrived(etag: String = "\"e\"", size: Int64 = 25, parts: [TransferPart]? = nil) throws -> [Int] {
        let parts = parts ?? self.parts
        let file = try PartialFile(path: path, etag: etag, size: size, parts: parts)
        return parts.filter { file.has($0) }.map(\.number)
    }

    @Test("A new file has its size, and nothing in it")
    func fresh() throws {
        #expect(try arrived() == [])
        #expect(try Data(contentsOf: URL(filePath: path)) == Data(count: 25))
    }

    @Test("What has arrived of the same object is known later, and kept")
    func resumed() throws {
        try begin()
        #expect(try arrived() == [2])
        #expect(try Data(contentsOf: URL(filePath: path))[10..<20] == Data(repeating: 7, count: 10))
    }

    @Test("Of another object, another size or other parts, nothing counts, and the old content is gone")
    func other() throws {
        try begin()
        #expect(try arrived(etag: "\"f\"") == [])
        #expect(try Data(contentsOf: URL(filePath: path)) == Data(count: 25))
        try begin()
        #expect(try arrived(size: 26, parts: TransferPart.all(ofObjectOf: 26, partSize: 10)) == [])
        try begin()
        #expect(try arrived(parts: TransferPart.all(ofObjectOf: 25, partSize: 5)) == [])
    }

    @Test("Without an ETag nothing counts: it may be another object")
    func noETag() throws {
        try begin(etag: "")
        #expect(try arrived(etag: "") == [])
    }

    @Test("A file that was cut, or whose notes are damaged, begins anew")
    func damage() throws {
        try begin()
        #expect(truncate(path, 20) == 0)
        #expect(try arrived() == [])
        try begin()
        try Data("junk".utf8).write(to: URL(filePath: path + ".progress"))
        #expect(try arrived() == [])
        try begin()
        try Data().write(to: URL(filePath: path + ".progress"))
        #expect(try arrived() == [])
    }

    @Test("A finished file has no notes")
    func finished() throws {
        let file = try PartialFile(path: path, etag: "\"e\"", size: 25, parts: parts)
        for part in parts { try file.note(part) }
        file.finish()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["file"])
    }

    @Test("A place that cannot be written is told")
    func refused() {
        let error = #expect(throws: S3Error.self) {
            try PartialFile(path: "/proc/none/file", etag: "", size: 1, parts: [])
        }
        #expect(error?.kind == .file)
        #expect(error?.message.contains("/proc/none/file") == true)
    }
}
