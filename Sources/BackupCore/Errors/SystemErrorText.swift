import Glibc

/// The system's words for an error number.
package enum SystemErrorText {
    /// The text for `number`, with advice where the cause has a usual remedy.
    package static func text(for number: Int32) -> String {
        switch number {
        case ENOSPC: "no space left on the device; free some and run again"
        case EDQUOT: "the disk quota is used up; free some space and run again"
        case EACCES, EPERM: "permission denied"
        case EROFS: "the file system is mounted read-only"
        case ENOENT: "no such file or directory"
        case EISDIR: "it is a directory"
        case ENOTDIR: "a part of the path is not a directory"
        case EEXIST: "it exists already"
        default: generic(number)
        }
    }

    private static func generic(_ number: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress else { return "error \(number)" }
            let result = strerror_r(number, base, 256)
            _ = result
            return String(cString: base)
        }
    }
}
