internal import BackupCore
internal import BackupFiles
internal import Foundation
internal import Glibc

/// A file by which one process tells the run of another to stop: it reaches whoever shares the backup directory.
///
/// Its name says which run is meant: the number of a backup alone may come again, in a catalog that was made anew or
/// restored, and what was left behind must not stop another run.
enum CancelOrder {
    private static let fileExtension = ".cancel"

    static func path(for record: BackupRecord, in directory: String, installation: String) -> String {
        "\(directory)/.locks/\(mark(installation))\(record.id)-\(record.startedAt.microseconds)\(fileExtension)"
    }

    /// The orders of this installation that lie there.
    static func paths(in directory: String, installation: String) -> [String] {
        let locks = directory + "/.locks"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: locks)) ?? []
        return names.filter { $0.hasPrefix(mark(installation)) && $0.hasSuffix(fileExtension) }.map { locks + "/" + $0 }
    }

    private static func mark(_ installation: String) -> String { "backup-\(BackupDirectory.mark(installation))-" }

    /// - Throws: `storage`.
    static func write(_ name: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw BackupError.system("write", path: path, errno: errno) }
        defer { close(descriptor) }
        let text = Array(name.utf8.prefix(200))
        guard Glibc.write(descriptor, text, text.count) == text.count else {
            throw BackupError.system("write", path: path, errno: errno)
        }
    }

    /// Who gave the order; nil where there is none.
    static func name(at path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 200, alignment: 1) { buffer in
            let count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            return text.unicodeScalars.contains { $0.value < 0x20 } || text.isEmpty ? "another process" : text
        }
    }
}
