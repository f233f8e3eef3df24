package import BackupCore
internal import Glibc

/// A new file that has a temporary name until it is complete. Removed again unless it is given its name.
package final class OutputFile {
    package private(set) var path: String
    private let descriptor: Int32
    private var isTemporary = true
    /// How many bytes were written, and how many of them the disk was told to take.
    private var count: Int64 = 0
    private var begun: Int64 = 0
    /// How many of them the disk has taken, as far as is known.
    package private(set) var settled: Int64 = 0

    /// Bytes that go to the disk together while the file grows, so that ``sync()`` has little to wait for and the
    /// machine's memory does not fill with what the disk must still take.
    private static let window: Int64 = 8 << 20

    /// Makes a file that nobody else can read; `path` must be free.
    package init(temporaryPath path: String) throws(BackupError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("create", path: path, errno: errno) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        discard()
        close(descriptor)
    }

    /// Removes the file unless it was given its name. For an owner whose object may outlive it: when that ends, the
    /// temporary name may belong to another file.
    package func discard() {
        guard isTemporary else { return }
        unlink(path)
        isTemporary = false
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let result = Glibc.write(descriptor, base + done, bytes.count - done)
            if result < 0 {
                if errno == EINTR { continue }
                throw .system("write", path: path, errno: errno)
            }
            done += result
        }
        count += Int64(bytes.count)
        guard count - begun >= OutputFile.window else { return }
        try FileOperations.writeBack(descriptor, begun..<count, waits: false, path: path)
        if settled < begun {
            try FileOperations.writeBack(descriptor, settled..<begun, waits: true, path: path)
            settled = begun
        }
        begun = count
    }

    package func sync() throws(BackupError) {
        guard fsync(descriptor) == 0 else { throw .system("flush to disk", path: path, errno: errno) }
        begun = count
        settled = count
    }

    /// Reads back what is ``settled``, from an offset on, piece by piece. Ends early where the file does.
    package func readBack(from start: Int64, _ body: (UnsafeRawBufferPointer) -> Void) throws(BackupError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        var offset = start
        while offset < settled {
            let result = pread(descriptor, buffer.baseAddress, min(buffer.count, Int(settled - offset)), off_t(offset))
            if result < 0 {
                if errno == EINTR { continue }
                throw .system("read back", path: path, errno: errno)
            }
            if result == 0 { return }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<result]))
            offset += Int64(result)
        }
    }

    /// Gives the file its name. Never replaces a file: returns false where the name is taken.
    package func rename(to name: String) throws(BackupError) -> Bool {
        switch FileOperations.renameWithoutReplacing(path, name) {
        case 0:
            path = name
            isTemporary = false
            return true
        case EEXIST: return false
        case let number: throw .system("rename \(path) to", path: name, errno: number)
        }
    }

    /// Gives the file its name, in place of what has that name.
    package func replace(_ name: String) throws(BackupError) {
        guard Glibc.rename(path, name) == 0 else { throw .system("replace", path: name, errno: errno) }
        path = name
        isTemporary = false
    }
}
