package import BackupCore
internal import Glibc

/// The room that a file system has, in bytes.
package struct FileSystemRoom: Sendable {
    /// What users without privileges may still write.
    package let free: Int64
    /// 0 where the file system does not tell.
    package let size: Int64

    /// Of the file system that holds a path, by statvfs(3).
    ///
    /// - Throws: `storage`.
    package init(of path: String) throws(BackupError) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else {
            throw .system("look at the file system of", path: path, errno: errno)
        }
        func bytes(_ blocks: UInt64) -> Int64 {
            let (bytes, isTooMuch) = blocks.multipliedReportingOverflow(by: UInt64(status.f_frsize))
            return isTooMuch ? .max : Int64(clamping: bytes)
        }
        free = bytes(UInt64(status.f_bavail))
        size = bytes(UInt64(status.f_blocks))
    }
}
