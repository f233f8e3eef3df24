internal import BackupArchive
internal import BackupCore
internal import BackupFiles
internal import Foundation

/// A copy of a backup that can be read, and what the catalog says of it.
struct BackupCopy: Sendable {
    var path: String
    /// Nil for a file that the catalog does not know.
    var record: BackupRecord?
    /// `local`, or the name of the store that it was fetched from.
    var source = BackupCopy.local
    /// Why the local copy was not taken.
    var reason: String?
    /// Where only what is needed is fetched.
    var sparse: SparseArchive?
    /// What was fetched lies there as long as this is referred to.
    var directory: FetchDirectory?

    /// What was given for fetching it, and goes with it.
    var place: (any Sendable)?

    static let local = "local"

    /// Compares what a reading found with what the catalog says. Where only some tables were read, the manifest tells
    /// which archive this is, and where there is none, the file's bytes do.
    ///
    /// - Throws: `damaged`.
    func compare(_ findings: ArchiveReader.Findings, of archive: ArchiveReader) throws {
        guard let record, record.status == .completed, let expected = record.sha256 else { return }
        let found = try findings.sha256 ?? archive.manifest?.archiveSHA256 ?? ArchiveCopy.sha256(of: path)
        guard found == expected else {
            throw BackupError(
                .damaged,
                "archive \(path) is not the one that the catalog knows as backup \(record.id): its SHA-256 is \(found), "
                    + "the catalog says \(expected); another file has taken its place, so put the right one back or "
                    + "use another backup")
        }
    }
}

extension BackupEngine {
    /// The record that a reference means, where it means one: by id, by path, or by name.
    func findRecord(_ reference: BackupReference) throws -> BackupRecord? {
        let text = reference.text
        if let id = Int64(text) {
            guard let record = try catalog.record(id: id) else {
                if FileOperations.exists(text) { return nil }
                throw BackupError(.notFound, "no backup has the id \(id); \"list\" shows those there are")
            }
            return record
        }
        if text.contains("/") { return try record(ofFile: text) }
        let named = try catalog.records(filename: text)
        let completed = named.filter { $0.status == .completed }
        if completed.count == 1 { return completed.first }
        if named.count == 1 { return named.first }
        return try record(ofFile: configuration.backupDirectory + "/" + text)
    }

    /// The record whose local copy is that very file, or was. A failed run may have wanted the same name.
    func record(ofFile path: String) throws -> BackupRecord? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let records = try catalog.records(filename: name).filter {
            FileOperations.isSame($0.filePath, path) || ($0.filePath == path && !FileOperations.exists(path))
        }
        return records.first { $0.status == .completed } ?? records.first
    }
}
