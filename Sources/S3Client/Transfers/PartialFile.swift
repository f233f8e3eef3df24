internal import Glibc

/// A file that is being fetched, and beside it a note of the parts that have arrived: a line that says of what, then one
/// byte for each part.
package final class PartialFile: Sendable {
    package let descriptor: Int32
    private let notes: Int32
    private let path: String
    private let headLength: Int
    private let arrived: Set<Int>

    /// Opens the file, or makes it; what an earlier fetch of the same object has noted counts as arrived.
    ///
    /// - Throws: ``S3Error`` of kind `file`.
    package init(path: String, etag: String, size: Int64, parts: [TransferPart]) throws {
        self.path = path
        let partSize = parts.first?.length ?? 0
        let head = Array("\(size) \(partSize) \(parts.count) \(etag)\n".utf8)
        headLength = head.count
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw PartialFile.failure("open", path) }
        notes = open(path + ".progress", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard notes >= 0 else {
            let error = PartialFile.failure("open", path + ".progress")
            close(descriptor)
            throw error
        }
        var status = stat()
        let isSame = fstat(descriptor, &status) == 0 && Int64(status.st_size) == size
        let found = isSame && !etag.isEmpty ? PartialFile.read(notes, expecting: head) : nil
        arrived = found ?? []
        if found == nil, !makeRoom(status.st_size, size) {
            throw PartialFile.failure("make room for \(size) bytes in", path)
        }
        if found == nil, ftruncate(notes, 0) != 0 || pwrite(notes, head, head.count, 0) != head.count {
            throw PartialFile.failure("write to", path + ".progress")
        }
    }

    private func makeRoom(_ found: off_t, _ size: Int64) -> Bool {
        // What is empty is not emptied: ext4 writes out a file that was, all of it, when it is closed.
        (found == 0 || ftruncate(descriptor, 0) == 0) && ftruncate(descriptor, off_t(size)) == 0
    }

    deinit {
        close(descriptor)
        close(notes)
    }

    package func has(_ part: TransferPart) -> Bool { arrived.contains(part.number) }

    package func note(_ part: TransferPart) throws {
        var mark = UInt8(ascii: "1")
        guard pwrite(notes, &mark, 1, off_t(headLength + part.number - 1)) == 1 else {
            throw PartialFile.failure("write to", path + ".progress")
        }
    }

    package func finish() { unlink(path + ".progress") }

    private static func read(_ notes: Int32, expecting head: [UInt8]) -> Set<Int>? {
        var bytes = [UInt8](repeating: 0, count: head.count + 100_000)
        let count = pread(notes, &bytes, bytes.count, 0)
        guard count >= head.count, Array(bytes[..<head.count]) == head else { return nil }
        let marks = bytes[head.count..<count].enumerated().filter { $0.element == UInt8(ascii: "1") }
        return Set(marks.map { $0.offset + 1 })
    }

    private static func failure(_ action: String, _ path: String) -> S3Error {
        S3Error(.file, "cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}
