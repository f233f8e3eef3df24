internal import BackupArchive
internal import BackupCore
internal import Glibc

/// An archive that is open to be read: it can be read to its end, whatever retention deletes meanwhile.
package final class OpenedArchive: Sendable {
    package let descriptor: Int32
    /// In bytes.
    package let size: Int64
    package let filename: String
    /// In lower-case hexadecimal digits; nil for an archive of which the catalog knows none.
    package let sha256: String?
    /// `local`, or the name of the store that it was fetched from.
    package let source: String

    fileprivate init(_ copy: BackupCopy) throws(BackupError) {
        descriptor = open(copy.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path: copy.path, errno: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw .system("look at", path: copy.path, errno: number)
        }
        size = Int64(status.st_size)
        filename = copy.record?.filename ?? copy.path.split(separator: "/").last.map(String.init) ?? copy.path
        sha256 = copy.record?.sha256
        source = copy.source
    }

    deinit { close(descriptor) }
}

extension BackupEngine {
    /// Opens a backup's archive: the local copy where it is good, else one that is fetched from a store.
    ///
    /// - Throws: `notFound`, `damaged`, `s3`, `storage`.
    package func openArchive(_ reference: BackupReference) async throws -> OpenedArchive {
        try await runVerb(named: "open-archive") { context in
            let copy = try CopyFinder(engine: self, context: context, wish: CopyWish()).find(reference)
            return try withExtendedLifetime(copy) { try OpenedArchive(copy) }
        }
    }
}
