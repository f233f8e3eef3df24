internal import BackupCore
internal import Foundation
internal import Glibc

/// The catalog's file before SQLite opens it: its directory, its mode, and what it must not be.
enum CatalogFile {
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Makes the directory (mode 0700) and an empty file (mode 0600) where they are missing, since SQLite itself would
    /// make a file that others may read; refuses what cannot be a catalog.
    static func prepare(_ path: String) throws(BackupError) {
        var information = stat()
        if stat(path, &information) == 0 {
            switch information.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFDIR: throw refused(path, "it is a directory; name a file in it")
            default: throw refused(path, "it is not a regular file")
            }
            guard access(path, R_OK | W_OK) == 0 else {
                throw refused(path, SystemErrorText.text(for: errno))
            }
            return
        }
        guard errno == ENOENT else { throw refused(path, SystemErrorText.text(for: errno)) }
        guard lstat(path, &information) != 0 else { throw refused(path, "it is a symbolic link to nothing") }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Directories.make(String(path[..<slash]), code: .catalog)
        }
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            // EEXIST: another process was faster, which is as good.
            throw refused(path, SystemErrorText.text(for: errno))
        }
    }

    private static func refused(_ path: String, _ reason: String) -> BackupError {
        BackupError(.catalog, "cannot use the catalog \(path): \(reason)")
    }
}

/// Directories that only their owner may enter.
enum Directories {
    /// Makes `path` and what is missing above it, mode 0700. An existing directory keeps its mode.
    static func make(_ path: String, code: BackupError.Code) throws(BackupError) {
        var information = stat()
        if stat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFDIR else {
                throw .system(code, "use the directory", path: path, errno: ENOTDIR)
            }
            return
        }
        guard errno == ENOENT else { throw .system(code, "use the directory", path: path, errno: errno) }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try make(String(path[..<slash]), code: code)
        }
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .system(code, "make the directory", path: path, errno: errno)
        }
    }
}
