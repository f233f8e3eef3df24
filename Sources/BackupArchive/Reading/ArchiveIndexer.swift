internal import BackupCore
internal import BackupFiles
internal import Glibc

/// Makes the manifest of an archive anew, from the archive alone.
package enum ArchiveIndexer {
    /// Reads and checks the whole archive and writes its manifest beside it, in place of one that is there.
    ///
    /// - Returns: the manifest's path.
    /// - Throws: `damaged`; `usage` for an archive that has no members of ours.
    package static func reindex(path: String, workers: Int) throws -> String {
        let archive = try ArchiveReader.open(path: path, usingManifest: false)
        guard archive.form == .members else {
            throw BackupError(
                .usage, "\(path) was not written by elder-backup: it has no members to index, and needs no manifest")
        }
        let manifestPath = path + ManifestWriter.suffix
        let temporary = manifestPath + ".\(getpid()).partial"
        let writer = try ManifestWriter(temporaryPath: temporary, header: archive.header)
        do {
            let findings = try archive.readMembers(
                tables: nil, workers: workers, consumer: NoConsumer(), manifest: writer)
            try writer.finish(
                archiveName: path.split(separator: "/").last.map(String.init) ?? path, archiveSize: archive.size,
                archiveSHA256: findings.sha256 ?? "", recordCount: findings.recordCount)
        } catch let error as BackupError where error.code == .damaged {
            throw error.located("archive \(path)")
        }
        try writer.replace(manifestPath)
        try FileOperations.syncDirectory(FileOperations.directory(of: path))
        return manifestPath
    }

    private final class NoConsumer: ArchiveConsumer {
        func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)? {
            RowSyntaxCheck()
        }
        func endTable(_ totals: TableTotals) throws {}
        func advanced(table: String, rows: Int64, bytes: Int64) throws {}
    }
}
