internal import BackupCore
internal import BackupFiles
internal import Foundation
internal import Glibc

/// A hidden directory for what is fetched from a store, which goes with the last reference to it.
///
/// The process that uses it holds a lock on it (flock(2)), so that the next start's sweep can tell one in use from one
/// whose process has died.
final class FetchDirectory: Sendable {
    let path: String
    private let descriptor: Int32

    init(in directory: String, installation: String) throws(BackupError) {
        for _ in 0..<100 {
            let name = ".fetch-\(FetchDirectory.mark(installation))-\(UUID().uuidString.prefix(8).lowercased())"
            let path = directory + "/" + name
            guard mkdir(path, 0o700) == 0 else {
                if errno == EEXIST { continue }
                throw .system("create", path: path, errno: errno)
            }
            // A sweep may have come between: then there is another name.
            if let descriptor = FetchDirectory.lock(path) {
                if FileOperations.exists(path) {
                    self.path = path
                    self.descriptor = descriptor
                    return
                }
                close(descriptor)
            }
        }
        throw BackupError(.storage, "cannot make a directory in \(directory) for what is fetched from a store")
    }

    /// Refuses to begin what the disk has no room for: it would fill it first, and fail the backups that are made there.
    ///
    /// - Parameter size: of what is to be fetched, in bytes.
    func requireRoom(for size: Int64) throws(BackupError) {
        let room = try FileSystemRoom(of: path)
        guard room.free >= size || room.size == 0 else {
            throw BackupError(
                .storage,
                "\(size) bytes are to be fetched to \(path), and \(room.free) are free there: free some space")
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        close(descriptor)
    }

    /// Removes what processes of this installation left behind that are gone.
    static func sweep(in directory: String, installation: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix(".fetch-\(mark(installation))-") {
            let path = directory + "/" + name
            guard let descriptor = lock(path) else { continue }
            try? FileManager.default.removeItem(atPath: path)
            close(descriptor)
        }
    }

    /// Nil where another process holds it, or it is gone.
    private static func lock(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func mark(_ installation: String) -> String { String(installation.prefix(8)).lowercased() }
}
