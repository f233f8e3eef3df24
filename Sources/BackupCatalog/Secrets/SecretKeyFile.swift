internal import BackupCore
internal import Foundation
internal import Glibc

/// A file that holds a key in base64, for its owner alone.
struct SecretKeyFile {
    let path: String

    /// In bytes; a key in base64 has 44.
    private static let longest = 1024

    /// - Returns: nil where there is no such file.
    /// - Throws: `configuration` for a file that others may read or have made, a link, and one that holds no key; never
    ///   with anything of its content.
    func read() throws(BackupError) -> SecretKey? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let number = errno
            if number == ENOENT { return nil }
            if number == ELOOP { throw refused("it is a symbolic link: put the file itself there") }
            throw refused(SystemErrorText.text(for: number))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refused(SystemErrorText.text(for: errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw refused("it is not a regular file") }
        guard status.st_uid == geteuid() else {
            throw refused("it belongs to user \(status.st_uid), and this is user \(geteuid()): run `chown` on it")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw refused("others may read or write it: run `chmod 600` on it, and think of the key as known to them")
        }
        var bytes = [UInt8](repeating: 0, count: SecretKeyFile.longest)
        var count = 0
        while count < bytes.count {
            let found = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if found < 0, errno == EINTR { continue }
            guard found >= 0 else { throw refused(SystemErrorText.text(for: errno)) }
            if found == 0 { break }
            count += found
        }
        guard count < bytes.count, let text = String(validating: bytes[..<count], as: UTF8.self),
            let key = SecretKey(text)
        else { throw refused("it does not hold a key of 32 bytes in base64 or in hexadecimal digits") }
        return key
    }

    /// Makes the file with a new random key, unless there is one by then.
    ///
    /// The file appears whole or not at all: it is written under another name, exclusively, and then linked to its own.
    ///
    /// - Returns: the key that the file holds now.
    /// - Throws: `storage`; `configuration` as ``read()``.
    func makeIfMissing() throws -> SecretKey {
        if let key = try read() { return key }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Directories.make(String(path[..<slash]), code: .storage)
        }
        sweep()
        let bytes = SecretKeyFile.randomBytes()
        guard let key = SecretKey(bytes: bytes) else { throw BackupError(.internal, "a key has an odd length") }
        let temporary = path + ".\(getpid())-\(UInt32.random(in: .min ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupError.system("create", path: temporary, errno: errno) }
        defer { unlink(temporary) }
        do {
            defer { close(descriptor) }
            let text = Array((SecretKeyFile.base64(bytes) + "\n").utf8)
            guard write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0 else {
                throw BackupError.system("write", path: temporary, errno: errno)
            }
        }
        guard link(temporary, path) == 0 else {
            let number = errno
            // Another process was faster: its key is the one.
            if number == EEXIST, let other = try read() { return other }
            throw BackupError.system("create", path: path, errno: number)
        }
        try SecretKeyFile.syncDirectory(of: path)
        return key
    }

    /// Removes what processes left here that were killed while they made a key, which nothing was written with.
    private func sweep() {
        guard let slash = path.lastIndex(of: "/") else { return }
        let directory = String(path[...slash])
        let start = String(path[path.index(after: slash)...]) + "."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasPrefix(start) && name.hasSuffix(".tmp") {
            var status = stat()
            // One that is just being made is younger.
            guard lstat(directory + name, &status) == 0, time(nil) - status.st_mtim.tv_sec > 3_600 else { continue }
            unlink(directory + name)
        }
    }

    /// Puts this file in the place of another.
    func replace(_ other: SecretKeyFile) throws {
        guard rename(path, other.path) == 0 else {
            throw BackupError.system("rename to \(other.path)", path: path, errno: errno)
        }
        try SecretKeyFile.syncDirectory(of: other.path)
    }

    private static func syncDirectory(of path: String) throws(BackupError) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BackupError.system("open", path: directory, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw BackupError.system("sync", path: directory, errno: errno) }
    }

    private static func randomBytes() -> [UInt8] {
        // The system's own generator (getrandom(2)).
        var generator = SystemRandomNumberGenerator()
        return (0..<SecretKey.length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private func refused(_ reason: String) -> BackupError {
        BackupError(.configuration, "cannot use the key of the catalog's secrets in \(path): \(reason)")
    }
}
