internal import BackupCore
internal import BackupFiles
internal import DatabaseSource
internal import Foundation
internal import Glibc

extension BackupEngine {
    /// Writes tables as they are at one moment into one file, for other programs to read.
    ///
    /// - Throws: `usage`, located at the field that is wrong; `source`, `storage`, …; there is then no file.
    package func export(_ request: ExportRequest) async throws -> ExportResponse {
        try await runVerb(named: "export") { try self.runExport(request, $0.cancellation) }
    }

    private func runExport(_ request: ExportRequest, _ cancellation: Cancellation) throws -> ExportResponse {
        let started = Timestamp.now()
        guard let source = request.source ?? configuration.source else {
            throw BackupError(.usage, "no database to export: give --source, or set DATABASE_URL")
        }
        // What makes no sense is told before the database is asked.
        _ = try ExportFilters(json: request.filters)
        try BackupDirectory.prepare(configuration.backupDirectory)
        try sweepExports()
        var options = snapshotOptions(of: source, cancellation)
        // Its own check reads the whole database, whatever part of it is wanted.
        if !request.resourceTypes.isEmpty { options.sourceCheck = .off }
        let snapshot = try Databases.openSnapshot(source, options: options)
        observer(.step(.snapshotTaken))
        let selection = try ExportSelection(request, of: snapshot.schema)
        let place = try ExportPlace(request, self)
        var pass = ExportPass(self, selection, cancellation, estimatedRows: snapshot.estimatedRows.map(Int64.init))
        let header = ExportHeader(timestamp: started, source: snapshot.source, tables: selection.tables)
        try pass.write(snapshot, header, to: request.format.makeWriter { try place.file.write($0) })
        let report = try snapshot.close()
        if let fault = report.fault { throw fault }
        try cancellation.check()
        try place.file.sync()
        let path = try place.publish(at: started, as: request.format)
        let counts = pass.counts
        return ExportResponse(
            success: true, format: request.format, filename: path.split(separator: "/").last.map(String.init) ?? path,
            filePath: path, fileSize: Int64(try InputFile(path: path).size), resourceTypes: selection.names.map(\.name),
            recordCounts: TableCounts(selection.names.map { ($0.name, counts[ExactName($0.table)] ?? 0) }),
            durationSeconds: Timestamp.now().seconds(since: started),
            warnings: snapshot.warnings + report.warnings + selection.warnings)
    }
}

/// Where an export grows and how it gets its name.
private final class ExportPlace {
    let file: OutputFile
    private let engine: BackupEngine
    private let output: String?
    /// Nil where the export goes to a path of the caller's.
    private let directory: FetchDirectory?

    init(_ request: ExportRequest, _ engine: BackupEngine) throws {
        self.engine = engine
        if let output = request.output {
            var isDirectory: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: output, isDirectory: &isDirectory)
            guard !isThere || isDirectory.boolValue else {
                throw BackupError(.storage, "\(output) exists already; name a file that does not, or remove it")
            }
            let path =
                isDirectory.boolValue
                ? "\(output)/export_\(Timestamp.now().fileName).\(request.format.fileExtension)" : output
            self.output = path
            directory = nil
            file = try OutputFile(temporaryPath: "\(path).\(getpid()).partial")
        } else {
            output = nil
            let exports = try engine.exportDirectory()
            try exports.prepare()
            let directory = try FetchDirectory(
                in: exports.path, installation: try engine.catalog.installationID())
            self.directory = directory
            file = try OutputFile(temporaryPath: directory.path + "/export")
        }
    }

    /// Returns the path.
    func publish(at time: Timestamp, as format: ExportFormat) throws -> String {
        guard let output else {
            let exports = try engine.exportDirectory()
            return exports.path + "/" + (try exports.publish(file, at: time, as: format))
        }
        guard try file.rename(to: output) else { throw BackupError(.storage, "\(output) appeared meanwhile") }
        try FileOperations.syncDirectory(FileOperations.directory(of: output))
        return output
    }
}

/// One pass over the chosen tables.
private struct ExportPass {
    let engine: BackupEngine
    let selection: ExportSelection
    let cancellation: Cancellation
    let estimatedRows: Int64?
    /// Rows that were written, by table.
    private(set) var counts: [ExactName: Int64] = [:]
    private var rowsRead: Int64 = 0
    private var bytesRead: Int64 = 0

    init(_ engine: BackupEngine, _ selection: ExportSelection, _ cancellation: Cancellation, estimatedRows: Int64?) {
        self.engine = engine
        self.selection = selection
        self.cancellation = cancellation
        self.estimatedRows = estimatedRows
    }

    mutating func write(
        _ snapshot: any DatabaseSnapshot, _ header: ExportHeader, to writer: any ExportWriter
    ) throws {
        try writer.begin(header)
        let batch = RowBatch()
        for (table, tests) in zip(selection.tables, selection.tests) {
            do {
                try write(table, RowFilter(tests), of: snapshot, by: batch, to: writer)
            } catch let error as BackupError {
                throw error.located("table \"\(table.name)\"")
            }
        }
        try writer.end()
    }

    private mutating func write(
        _ table: TableDescription, _ filter: RowFilter, of snapshot: any DatabaseSnapshot, by batch: RowBatch,
        to writer: any ExportWriter
    ) throws {
        var filter = filter
        var count: Int64 = 0
        let reader = try snapshot.reader(for: table)
        try writer.beginTable(table)
        while true {
            try cancellation.check()
            batch.reset()
            let result = try reader.fill(batch, acceptsLargeRow: true)
            let text = UnsafePointer(batch.bytes.assumingMemoryBound(to: UInt8.self))
            var row = RowCells(table, text: text)
            for span in batch.rows {
                try row.move(to: span, in: text)
                guard filter.takes(row) else { continue }
                try writer.write(row)
                count += 1
            }
            rowsRead += Int64(batch.rowCount)
            bytesRead += Int64(batch.count)
            engine.observer(
                .progress(table: table.name, rows: rowsRead, bytes: bytesRead, expectedRows: estimatedRows))
            if result == .last { break }
        }
        try writer.endTable()
        counts[ExactName(table.name)] = count
    }
}
