internal import BackupCore
internal import BackupFiles
internal import Glibc

/// A file that is built beside its final place and appears there at once, when it is complete.
///
/// Its name is `.NAME.restoring-PID-RANDOM`, where a long NAME is cut and followed by a hash of it: a crash leaves only
/// that, and the next restore of the same target removes it.
final class SQLiteTemporaryFile {
    let path: String
    private let finalPath: String
    private let directory: String
    private var isGone = false
    /// Files that SQLite may keep beside a database.
    private static let companions = ["-wal", "-shm", "-journal"]

    init(for finalPath: String) throws(BackupError) {
        self.finalPath = finalPath
        // A slash and a combining accent behind it are one `Character`, so this goes by bytes.
        let bytes = finalPath.utf8
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { String(decoding: bytes[bytes.index(after: $0)...], as: UTF8.self) } ?? finalPath
        directory = slash.map { $0 == bytes.startIndex ? "/" : String(decoding: bytes[..<$0], as: UTF8.self) } ?? "."
        guard !name.isEmpty, name != ".", name != ".." else {
            throw BackupError(.usage, "\(finalPath) names no file; give the path of the database to be made")
        }
        try SQLiteTemporaryFile.refuseCompanions(of: finalPath)
        let prefix = SQLiteTemporaryFile.prefix(for: name)
        SQLiteTemporaryFile.removeLeftovers(in: directory, prefix: prefix)
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        path = (directory == "/" ? "/" : directory + "/") + prefix + "\(getpid())-\(random)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .system(.storage, "create a database in", path: directory, errno: errno)
        }
        close(descriptor)
    }

    deinit { remove() }

    /// The name but for the process and what tells two of its restores apart. A file system takes names of 255 bytes,
    /// and SQLite adds up to eight for the files that it keeps beside a database.
    private static func prefix(for name: String) -> String {
        guard name.utf8.count > 200 else { return ".\(name).restoring-" }
        // FNV-1a (RFC 9923): the same in every process, as the next restore must find it again.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var start = name.utf8.prefix(160)
        while let text = start.last, text >= 0x80 { start.removeLast() }
        return ".\(String(decoding: start, as: UTF8.self))~\(String(hash, radix: 16)).restoring-"
    }

    /// Removes what restores of the same target left whose process is no more.
    private static func removeLeftovers(in directory: String, prefix: String) {
        guard let stream = opendir(directory) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.utf8.starts(with: prefix.utf8),
                let number = name.utf8.dropFirst(prefix.utf8.count).split(separator: UInt8(ascii: "-")).first,
                let process = pid_t(String(number) ?? ""), process > 0, kill(process, 0) != 0, errno == ESRCH
            else { continue }
            unlink(directory + "/" + name)
        }
    }

    /// Makes the file durable and gives it its final name; never in the place of another file.
    func publish() throws(BackupError) {
        try makeDurable()
        try SQLiteTemporaryFile.refuseCompanions(of: finalPath)
        let reason = FileOperations.renameWithoutReplacing(path, finalPath)
        guard reason == 0 else { throw publishingFailed(reason) }
        isGone = true
        removeCompanions()
        try FileOperations.syncDirectory(directory)
    }

    /// A journal or log beside the target belongs to a database that is gone. Whoever opens the restored one next would
    /// play it back into it.
    private static func refuseCompanions(of path: String) throws(BackupError) {
        for companion in companions where FileOperations.exists(path + companion) {
            throw BackupError(
                .target,
                "\(path)\(companion) is there, left over from a database that is gone: SQLite would mix it into the "
                    + "restored one; move it away, or restore to another path")
        }
    }

    private func publishingFailed(_ reason: Int32) -> BackupError {
        if reason == EEXIST {
            return BackupError(
                .target, "\(finalPath) came into being while it was restored; nothing was changed; give another path")
        }
        return .system(.storage, "give the restored database its name", path: finalPath, errno: reason)
    }

    private func makeDurable() throws(BackupError) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(.storage, "open", path: path, errno: errno) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o644 & ~SQLiteTemporaryFile.creationMask()) == 0, fsync(descriptor) == 0 else {
            throw .system(.storage, "make durable", path: path, errno: errno)
        }
    }

    /// The process's file creation mask, read without changing it, as that would not be safe among threads.
    private static func creationMask() -> mode_t {
        guard let status = fopen("/proc/self/status", "re") else { return 0o022 }
        defer { fclose(status) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), status) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("Umask:") else { continue }
            return mode_t(text.dropFirst(6).filter { !$0.isWhitespace }, radix: 8) ?? 0o022
        }
        return 0o022
    }

    /// Deletes the file, unless it was published. Safe to call more than once.
    func remove() {
        guard !isGone else { return }
        isGone = true
        unlink(path)
        removeCompanions()
    }

    private func removeCompanions() {
        for companion in SQLiteTemporaryFile.companions { unlink(path + companion) }
    }
}
