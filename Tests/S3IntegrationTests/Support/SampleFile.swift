import Foundation
import S3Client
import TestSupport

/// A directory that goes with the last reference to it.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "s3-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// A file of bytes that follow from the seed.
    func sample(_ size: Int, seed: UInt64 = 1, name: String = "sample") throws -> SampleFile {
        let bytes = SampleFile.bytes(size, seed: seed)
        try Data(bytes).write(to: URL(filePath: file(name)))
        return SampleFile(path: file(name), bytes: bytes, folder: self)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    func bytes(of name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: file(name)))) }
}

struct SampleFile: Sendable {
    let path: String
    let bytes: [UInt8]
    /// Stays as long as the file is in use.
    let folder: Folder

    func truncate(to size: UInt64) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.truncate(atOffset: size)
        try handle.close()
    }

    static func bytes(_ size: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var place = 0
            while place + 8 <= size {
                UnsafeMutableRawBufferPointer(buffer).storeBytes(
                    of: generator.next(), toByteOffset: place, as: UInt64.self)
                place += 8
            }
            while place < size {
                buffer[place] = UInt8(truncatingIfNeeded: generator.next())
                place += 1
            }
            count = size
        }
    }
}
