internal import BackupCore
internal import BackupFiles

/// An archive that is open to be read: it can be read to its end, whatever retention deletes meanwhile.
package final class OpenedArchive: Sendable {
    private let file: InputFile
    /// In lower-case hexadecimal digits; nil for an archive of which the catalog knows none.
    package let sha256: String?
    package let filename: String
    /// `local`, or the name of the store that it was fetched from.
    package let source: String
    /// What was given for fetching it.
    private let place: (any Sendable)?

    package var descriptor: Int32 { file.descriptor }
    /// In bytes.
    package var size: Int64 { Int64(file.size) }

    fileprivate init(_ copy: BackupCopy, _ file: InputFile) {
        self.file = file
        filename = copy.record?.filename ?? copy.path.split(separator: "/").last.map(String.init) ?? copy.path
        sha256 = copy.record?.sha256
        source = copy.source
        place = copy.place
    }

    /// Whether it was fetched from a store, and is gone once nobody reads it any more.
    package var isFetched: Bool { source != BackupCopy.local }
}

/// What the catalog knows of an archive that there should be a copy of.
package struct ArchiveFacts: Sendable {
    package var filename: String
    /// In bytes.
    package var size: Int64
    /// In lower-case hexadecimal digits.
    package var sha256: String
}

extension BackupEngine {
    /// Opens a backup's archive: the local copy where it is good, else one that is fetched from a store.
    ///
    /// - Parameter admission: asked before anything is fetched; what it gives is let go of when the archive is.
    /// - Throws: `notFound`, `damaged`, `s3`, `storage`, and what `admission` throws.
    package func openArchive(
        _ reference: BackupReference, admission: (@Sendable () throws -> any Sendable)? = nil
    ) async throws -> OpenedArchive {
        try await runVerb(named: "open-archive") { context in
            var wish = CopyWish()
            wish.isForSending = true
            wish.admission = admission
            let copy = try CopyFinder(engine: self, context: context, wish: wish).find(reference)
            return try withExtendedLifetime(copy) {
                let file = try InputFile(path: copy.path)
                try self.check(file, of: copy, context)
                return OpenedArchive(copy, file)
            }
        }
    }

    /// Another file may have taken the place of the one that was looked at. What was fetched has been checked, and lies
    /// where nobody else writes.
    private func check(_ file: InputFile, of copy: BackupCopy, _ context: VerbContext) throws {
        guard copy.source == BackupCopy.local, let expected = copy.record?.sha256 else { return }
        guard try knownDigests.sha256(of: file, step: { try context.cancellation.check() }) == expected else {
            throw BackupError(.damaged, "the local file \(copy.path) was written to just now; ask again")
        }
    }

    /// What is known of a backup's archive without looking into it; nil where only opening it can tell.
    ///
    /// - Throws: `notFound` where there is no such backup.
    package func archiveFacts(_ id: Int64) async throws -> ArchiveFacts? {
        try await CatalogThreads.run {
            guard let record = try self.catalog.record(id: id) else {
                throw BackupError(.notFound, "no backup has the id \(id); \"list\" shows those there are")
            }
            guard record.status == .completed, let sha256 = record.sha256 else { return nil }
            let isHere =
                record.localState != .damaged
                && (try? InputFile(path: record.filePath)).map { Int64($0.size) } == record.fileSize
            guard try isHere || self.catalog.copies(backupID: id).contains(where: { $0.state == .present }) else {
                return nil
            }
            return ArchiveFacts(filename: record.filename, size: record.fileSize, sha256: sha256)
        }
    }
}
