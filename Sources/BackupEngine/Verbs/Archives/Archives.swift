internal import BackupArchive
package import BackupCore
package import DatabaseSource
internal import Foundation
internal import Glibc

/// What an archive says of itself.
package struct ArchiveInspection: Sendable, Codable {
    package struct Table: Sendable, Codable {
        package var name: String
        package var rows: Int64
        package var columns: [ColumnDescription]
        package var digest: String
        /// In the archive, in bytes; nil without a manifest.
        package var compressedBytes: Int64?

        private enum CodingKeys: String, CodingKey {
            case name, rows, columns, digest
            case compressedBytes = "compressed_bytes"
        }
    }

    package var path: String
    package var fileSize: Int64
    /// `elder-backup`, or `plain` for what Elder wrote.
    package var form: String
    package var version: String
    package var timestamp: Timestamp?
    package var jobID: Int64?
    package var jobName: String?
    package var generatorVersion: String?
    package var installation: String?
    package var source: SourceDescription?
    package var manifest: Bool
    package var recordCount: Int64
    package var tables: [Table]
    /// What the backup holds of each object of the source; nil for what Elder wrote.
    package var ledger: [LedgerEntry]?

    private enum CodingKeys: String, CodingKey {
        case path, form, version, timestamp, installation, source, manifest, tables, ledger
        case fileSize = "file_size"
        case jobID = "job_id"
        case jobName = "job_name"
        case generatorVersion = "generator_version"
        case recordCount = "record_count"
    }

    /// Looks at an archive: with a manifest at its head only, without one from end to end.
    static func inspect(path: String) throws -> ArchiveInspection {
        let archive = try ArchiveReader.open(path: path)
        var header = archive.header
        var tables: [Table]
        if let manifest = archive.manifest {
            tables = manifest.tables.map {
                Table(
                    name: $0.description.name, rows: $0.totals.rows, columns: $0.description.columns,
                    digest: $0.totals.digest.hexadecimal, compressedBytes: Int64($0.length))
            }
        } else {
            let findings = try archive.read(
                tables: nil, workers: BackupEngine.workers, consumer: RowCollector { _, _ in })
            header = archive.form == .plain ? findings.header : header
            let columns = Dictionary(
                header.tables.map { (ExactName($0.name), $0.columns) }, uniquingKeysWith: { first, _ in first })
            tables = findings.tables.map {
                Table(
                    name: $0.name, rows: $0.rows, columns: columns[ExactName($0.name)] ?? [],
                    digest: archive.form == .plain ? "" : $0.digest.hexadecimal)
            }
        }
        return ArchiveInspection(
            path: path, fileSize: Int64(archive.size), form: archive.form == .members ? "elder-backup" : "plain",
            version: header.version, timestamp: header.timestamp, jobID: header.jobID, jobName: header.jobName,
            generatorVersion: header.generator?.version, installation: header.generator?.installation,
            source: try archive.contents().source, manifest: archive.manifest != nil,
            recordCount: tables.reduce(0) { $0 + $1.rows }, tables: tables,
            ledger: try archive.contents().schema?.ledger)
    }
}

/// The verbs that work on an archive file alone, without a catalog.
extension BackupEngine {
    /// Writes an archive's text to a descriptor: all of it, or one table's rows, one JSON object a line.
    package static func catArchive(path: String, table: String?, to output: Int32) async throws {
        try await BlockingThread.run(named: "cat") { cancellation in
            guard let table else {
                return try ArchiveText.read(path: path) { bytes in
                    try cancellation.check()
                    try write(bytes, to: output)
                }
            }
            let collector = RowCollector { batch, row in
                try write(
                    UnsafeRawBufferPointer(start: batch.bytes + Int(row.start), count: Int(row.end - row.start)),
                    to: output)
                try "\n".utf8.withContiguousStorageIfAvailable { try write(UnsafeRawBufferPointer($0), to: output) }
            }
            _ = try ArchiveReader.open(path: path).read(
                tables: [ExactName(table)], workers: workers, consumer: collector)
        }
    }

    /// Writes a part of an archive's definitions to a descriptor, as text that the database's own client can run.
    ///
    /// - Throws: `notFound` where the archive does not hold it.
    package static func catDefinitions(path: String, part: DefinitionPart, to output: Int32) async throws {
        try await BlockingThread.run(named: "cat") { _ in
            let text = try PostgreSQLDefinitionText.text(of: try ArchiveReader.open(path: path).contents(), part)
            try Array(text.utf8).withUnsafeBytes { try write($0, to: output) }
        }
    }

    package static func inspectArchive(path: String) async throws -> ArchiveInspection {
        try await BlockingThread.run(named: "inspect") { _ in try ArchiveInspection.inspect(path: path) }
    }

    /// Makes an archive's manifest anew; returns the manifest's path.
    package static func reindexArchive(path: String) async throws -> String {
        try await BlockingThread.run(named: "reindex") { _ in
            try ArchiveIndexer.reindex(path: path, workers: workers)
        }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let result = Glibc.write(descriptor, base + done, bytes.count - done)
            if result < 0 {
                if errno == EINTR { continue }
                throw BackupError.system("write to", path: "the output", errno: errno)
            }
            done += result
        }
    }
}

/// Gives each row of a reading to a closure, in order.
final class RowCollector: ArchiveConsumer, RowStage {
    private let take: @Sendable (RowBatch, RowBatch.Span) throws -> Void

    init(_ take: @escaping @Sendable (RowBatch, RowBatch.Span) throws -> Void) { self.take = take }

    func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)? { self }
    func endTable(_ totals: TableTotals) throws {}
    func advanced(table: String, rows: Int64, bytes: Int64) throws {}
    func makeBuffer() -> (any AnyObject & Sendable)? { nil }
    func process(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {}

    func deliver(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
        for row in batch.rows { try take(batch, row) }
    }
}
