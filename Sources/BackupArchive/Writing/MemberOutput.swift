internal import BackupCore
internal import BackupFiles
internal import Foundation

/// The file side of an archive that is being written: members in order, digests, manifest, names.
///
/// Used by the writing thread until the pipeline is drained, and by the caller's thread after that.
final class MemberOutput: @unchecked Sendable {
    private let file: OutputFile
    private let manifest: ManifestWriter
    private var digest = FileDigest()
    /// Of the bytes that were written, and of those that were read back behind them.
    private let written: FileChecksum
    private let found: FileChecksum
    private var tables: [TableTotals] = []

    init(temporaryPath: String, header: ArchiveHeader) throws {
        written = try FileChecksum()
        found = try FileChecksum()
        file = try OutputFile(temporaryPath: temporaryPath)
        manifest = try ManifestWriter(temporaryPath: temporaryPath + ManifestWriter.suffix, header: header)
    }

    func write(_ slot: MemberSlot) throws {
        let offset = digest.count
        let bytes = UnsafeRawBufferPointer(start: slot.member.base, count: slot.memberLength)
        try file.write(bytes)
        digest.update(bytes)
        written.update(bytes)
        try readBack()
        guard slot.kind == .rows, let table = slot.table else { return }
        if slot.opensTable {
            tables.append(TableTotals(name: table.name))
            try manifest.beginTable(table)
        }
        tables[tables.count - 1].rows += Int64(slot.batch.rowCount)
        tables[tables.count - 1].digest.add(slot.batch.digest)
        try manifest.addMember(
            offset: offset, length: slot.memberLength, rows: slot.batch.rowCount, crc32: slot.crc32)
        if slot.closesTable { try manifest.endTable(tables[tables.count - 1]) }
    }

    func summary() -> ArchiveSummary {
        ArchiveSummary(tables: tables, precedingBytes: digest.count, precedingSHA256: digest.hexadecimal)
    }

    /// Removes what was not published. Threads that have ended may still hold this object for a moment, so that its
    /// files would outlive the writer.
    func discard() {
        file.discard()
        manifest.discard()
    }

    func syncAndCheck() throws {
        try file.sync()
        try readBack()
        guard found.equals(written) else {
            throw BackupError(.storage, "\(file.path) does not hold what was written to it; the disk may be faulty")
        }
    }

    /// What the disk has taken meanwhile.
    private func readBack() throws {
        guard file.settled > Int64(found.count) else { return }
        try file.readBack(from: Int64(found.count)) { found.update($0) }
    }

    func publish(
        directory: String, stem: String, _ observe: (ArchiveWriter.Step) -> Void
    ) throws -> ArchiveWriter.Result {
        let name = try takeName(directory: directory, stem: stem)
        let manifestPath = file.path + ManifestWriter.suffix
        var hasManifest = false
        do {
            observe(.archiveRenamed)
            try FileOperations.syncDirectory(directory)
            try manifest.finish(
                archiveName: name, archiveSize: digest.count, archiveSHA256: digest.hexadecimal,
                recordCount: tables.reduce(0) { $0 + $1.rows })
            observe(.manifestWritten)
            guard try manifest.rename(to: manifestPath) else {
                throw BackupError(.storage, "\(manifestPath) appeared during the backup")
            }
            hasManifest = true
            observe(.manifestRenamed)
            try FileOperations.syncDirectory(directory)
            observe(.directorySynced)
        } catch {
            // What is not surely durable must not look complete; and without its manifest the archive would pass for
            // one that another program wrote.
            if hasManifest { try? FileOperations.remove(manifestPath) }
            try? FileOperations.remove(file.path)
            throw error
        }
        return ArchiveWriter.Result(
            path: file.path, name: name, size: Int64(digest.count), sha256: digest.hexadecimal, tables: tables)
    }

    /// Renames the archive to the first name that is free together with its manifest's.
    private func takeName(directory: String, stem: String) throws -> String {
        for attempt in 1...1000 {
            let name = stem + (attempt == 1 ? "" : "_\(attempt)") + ".json.gz"
            let path = directory + "/" + name
            if FileOperations.exists(path + ManifestWriter.suffix) { continue }
            if try file.rename(to: path) { return name }
        }
        throw BackupError(.storage, "\(directory) holds a thousand backups of the same second; remove some")
    }
}
