import BackupArchive
import BackupCatalog
import BackupCore
import BackupEngine
import Foundation
import Glibc
import Logging
import Testing

/// What must hold of a backup directory once the next start has swept it, whatever happened before.
final class Invariants {
    let directory: String
    /// Archives that were read from end to end before, by name: what does not change is not read again.
    private var verified: [String: String] = [:]

    init(directory: String) { self.directory = directory }

    /// Starts the engine, which sweeps, and checks everything.
    func check(_ comment: Comment) async throws {
        let engine = try await BackupEngine.open(
            configuration: EngineConfiguration(backupDirectory: directory), logger: Logger(label: "test"))
        let records = try await engine.list(limit: 100_000)
        #expect(!records.contains { $0.status == .running }, comment)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        #expect(!names.contains { $0.contains(".partial") || $0.contains(".staging") }, comment)
        let archives = Set(names.filter { $0.hasPrefix("backup_") && $0.hasSuffix(".json.gz") })
        let manifests = Set(names.filter { $0.hasPrefix("backup_") && $0.hasSuffix(".manifest.json") })
        #expect(manifests == Set(archives.map { $0 + ".manifest.json" }), comment)
        let completed = records.filter { $0.status == .completed }
        #expect(archives == Set(completed.map(\.filename)), comment)
        #expect(archives.count == completed.count, comment)
        for record in completed { try check(record, comment) }
    }

    private func check(_ record: BackupRecord, _ comment: Comment) throws {
        #expect(record.filePath == directory + "/" + record.filename, comment)
        let sha256 = try #require(record.sha256, comment)
        if verified[record.filename] == sha256 { return }
        #expect(try ArchiveCopy.sha256(of: record.filePath) == sha256, comment)
        let archive = try ArchiveReader.open(path: record.filePath)
        #expect(archive.manifest?.archiveSHA256 == sha256, comment)
        #expect(Int64(archive.size) == record.fileSize, comment)
        let findings = try archive.read(tables: nil, workers: 1, consumer: Unread())
        #expect(findings.recordCount == record.recordCount, comment)
        #expect(findings.sha256 == sha256, comment)
        verified[record.filename] = sha256
    }

    /// How many archives were found good.
    var archives: Int { verified.count }
}

/// Takes rows and forgets them: the reading itself checks every digest and count.
private final class Unread: ArchiveConsumer, RowStage {
    func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)? { self }
    func endTable(_ totals: TableTotals) throws {}
    func advanced(table: String, rows: Int64, bytes: Int64) throws {}
    func makeBuffer() -> (any AnyObject & Sendable)? { nil }
    func process(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {}
    func deliver(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {}
}
