internal import BackupCore
internal import Glibc

/// An export that is open to be read: it can be read to its end, even if it is swept meanwhile.
package final class OpenedExport: Sendable {
    package let descriptor: Int32
    /// In bytes.
    package let size: Int64
    package let filename: String
    package let format: ExportFormat
    /// Of these very bytes: an export never changes once it has its name.
    package let tag: String

    fileprivate init(path: String, filename: String, format: ExportFormat) throws(BackupError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        var status = stat()
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ELOOP { throw OpenedExport.missing(filename) }
            throw .system("open", path: path, errno: errno)
        }
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw OpenedExport.missing(filename)
        }
        self.descriptor = descriptor
        size = Int64(status.st_size)
        self.filename = filename
        self.format = format
        tag = "\(status.st_ino)-\(status.st_size)-\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    deinit { close(descriptor) }

    fileprivate static func missing(_ filename: String) -> BackupError {
        BackupError(.notFound, "there is no export \"\(filename.prefix(80))\": exports are removed after some days")
    }
}

extension BackupEngine {
    /// - Throws: `notFound`, also for a name that no export has.
    package func openExport(_ filename: String) async throws -> OpenedExport {
        try await BlockingThread.run(named: "open-export") { _ in
            guard let parts = ExportDirectory.parts(filename) else { throw OpenedExport.missing(filename) }
            let directory = try self.exportDirectory()
            return try OpenedExport(path: directory.path + "/" + filename, filename: filename, format: parts.format)
        }
    }
}
