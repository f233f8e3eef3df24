package import BackupCore
internal import Glibc

/// A regular file that is read by position.
package final class InputFile: Sendable {
    package let path: String
    /// In bytes, when it was opened.
    package let size: Int
    /// Open as long as this is referred to.
    package let descriptor: Int32

    package init(path: String) throws(BackupError) {
        // Without O_NONBLOCK a named pipe would make this wait for a writer. Regular files do not know it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .system(errno == ENOENT ? .notFound : .storage, "open", path: path, errno: errno)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw .system("look at", path: path, errno: number)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw BackupError(.storage, "\(path) is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// What tells a file from any other, and from itself once it was written to.
    package struct Identity: Hashable, Sendable {
        private let device: UInt
        private let inode: UInt
        private let size: Int
        private let times: [Int]

        fileprivate init(_ status: stat) {
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            size = Int(status.st_size)
            times = [status.st_mtim, status.st_ctim].flatMap { [Int($0.tv_sec), Int($0.tv_nsec)] }
        }
    }

    /// As it is now.
    package func identity() throws(BackupError) -> Identity {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("look at", path: path, errno: errno) }
        return Identity(status)
    }

    /// Reads exactly `count` bytes at `offset`; less only where the file ends. Returns how many were read.
    package func read(into buffer: UnsafeMutableRawPointer, count: Int, at offset: Int) throws(BackupError) -> Int {
        var done = 0
        while done < count {
            let result = pread(descriptor, buffer + done, count - done, off_t(offset + done))
            if result == 0 { break }
            if result < 0 {
                if errno == EINTR { continue }
                throw .system("read", path: path, errno: errno)
            }
            done += result
        }
        return done
    }

    /// Reads a stretch into an array.
    package func bytes(at offset: Int, count: Int) throws(BackupError) -> [UInt8] {
        var failure: BackupError?
        let array = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            do throws(BackupError) {
                initialized = try read(into: base, count: count, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return array
    }

    /// Tells the kernel that the file is read from front to back.
    package func adviseSequential() {
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }
}
