package import BackupCore
internal import CGlibc
internal import Glibc

/// The few file operations whose order and flags crash safety depends on, in one place.
package enum FileOperations {
    /// Renames, and fails with EEXIST rather than replace a file (renameat2(2), RENAME_NOREPLACE). Returns 0 or the
    /// error number. On file systems without that flag a hard link serves: it fails alike where the name is taken.
    package static func renameWithoutReplacing(_ old: String, _ new: String) -> Int32 {
        let number = eb_rename_without_replacing(old, new)
        guard number == EINVAL || number == ENOSYS else { return number }
        guard link(old, new) == 0 else { return errno }
        unlink(old)
        return 0
    }

    /// Begins to write a range of a file to the disk, or waits until it is written: data alone, and no promise of
    /// durability. A file system that cannot do that does nothing.
    ///
    /// - Throws: what the disk failed with. A later fsync would not tell it again.
    static func writeBack(
        _ descriptor: Int32, _ range: Range<Int64>, waits: Bool, path: String
    ) throws(BackupError) {
        let number = eb_write_back(descriptor, range.lowerBound, range.upperBound - range.lowerBound, waits ? 1 : 0)
        guard [0, EINVAL, ENOSYS, ESPIPE, EOPNOTSUPP].contains(number) else {
            throw .system("write", path: path, errno: number)
        }
    }

    /// Makes the names in a directory durable.
    package static func syncDirectory(_ path: String) throws(BackupError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open the directory", path: path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("flush the directory", path: path, errno: errno) }
    }

    /// Whether anything has that name, a dangling link included.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Removes a file; one that is not there is no error.
    package static func remove(_ path: String) throws(BackupError) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        throw .system("delete", path: path, errno: errno)
    }

    /// The directory that holds a path: everything before its last slash.
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether two paths lead to the same file.
    package static func isSame(_ left: String, _ right: String) -> Bool {
        var first = stat()
        var second = stat()
        guard stat(left, &first) == 0, stat(right, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }
}
