import BackupArchive
import BackupCore
import TestSupport

/// A table with the rows that an archive is to hold.
struct SampleTable: Sendable {
    var name: String
    var rows: [[UInt8]]

    var description: TableDescription {
        TableDescription(
            name: name,
            columns: [
                ColumnDescription(name: "id", type: "INTEGER", encoding: .value),
                ColumnDescription(name: "name", type: "TEXT", encoding: .value),
            ])
    }

    init(_ name: String, rows: [[UInt8]]) {
        self.name = name
        self.rows = rows
    }

    init(_ name: String, texts: [String]) { self.init(name, rows: texts.map { Array($0.utf8) }) }

    /// Rows whose text is hard to compress, about 70 bytes each and up to `spread` more.
    static func random(_ name: String, count: Int, seed: UInt64, spread: Int = 1) -> SampleTable {
        var random = SeededGenerator(seed: seed)
        let rows = (0..<count).map { index in
            var text =
                "{\"id\":\(index),\"name\":\"\(String(random.next(), radix: 36))-\(String(random.next(), radix: 36))"
            for _ in 0..<Int.random(in: 0..<spread, using: &random) { text += String(random.next() % 10) }
            return Array((text + "\"}").utf8)
        }
        return SampleTable(name, rows: rows)
    }
}

/// Archives made of samples.
enum Sample {
    static func header(_ tables: [SampleTable], job: Int64 = 7) -> ArchiveHeader {
        var generator = ArchiveGenerator(
            version: "1.0.0", installation: "0d2fb0a1-5c0e-4c39-9f0a-7e7a54a0c001",
            job: "0d2fb0a1-5c0e-4c39-9f0a-7e7a54a0c002")
        generator.format = ArchiveGenerator.currentFormat
        return ArchiveHeader(
            timestamp: Timestamp(microseconds: 1_795_397_343_696_718), jobID: job, jobName: "nightly",
            generator: generator,
            source: Array(
                #"{"database":"shop.db","engine":"sqlite","snapshot":"read transaction","version":"3.40.1"}"#.utf8),
            tables: tables.map(\.description), ledger: Array("[]".utf8), definitions: Array("{}".utf8))
    }

    @discardableResult
    static func write(
        _ tables: [SampleTable], in directory: TemporaryDirectory, stem: String = "backup_7_20261123_012903",
        compression: CompressionLevel = .fast, workers: Int = 2, job: Int64 = 7
    ) throws -> ArchiveWriter.Result {
        let writer = try ArchiveWriter(
            temporaryPath: directory.file(".\(stem).partial"), header: header(tables, job: job),
            compression: compression, workers: workers)
        for table in tables { try add(table, to: writer) }
        try writer.finish { _ in }
        return try writer.publish(directory: directory.path, stem: stem) { _ in }
    }

    static func add(_ table: SampleTable, to writer: ArchiveWriter) throws {
        try writer.beginTable(table.description)
        var batch = try writer.nextBatch()
        for row in table.rows {
            let isLarge = row.count > MemberBoundary.largest
            if isLarge {
                try writer.submit(last: false)
                batch = try writer.nextBatch(alone: true)
            }
            let start = batch.beginRow(reserving: row.count)
            batch.append(row)
            if batch.endRow(startedAt: start) {
                try writer.submit(last: false, alone: isLarge)
                batch = try writer.nextBatch()
            }
        }
        try writer.submit(last: true)
    }

    /// Four small tables, one of them empty: an archive of about 1.5 kB.
    static let small = [
        SampleTable("orders", texts: [#"{"id":1,"name":"Zoë"}"#, #"{"id":2,"name":null}"#]),
        SampleTable("empty", rows: []),
        SampleTable("a \"b\"/c", texts: [#"{"id":-1,"name":{"$bytes":"3q2+7w=="}}"#]),
        SampleTable("parts", texts: (1...5).map { "{\"id\":\($0),\"name\":\"part\"}" }),
    ]
}

/// Keeps all that a reader hands on.
final class Collector: ArchiveConsumer {
    private(set) var tables: [SampleTable] = []
    private(set) var ended: [TableTotals] = []
    private let checksSyntax: Bool

    init(checksSyntax: Bool = true) { self.checksSyntax = checksSyntax }

    func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)? {
        tables.append(SampleTable(name, rows: []))
        return Stage(syntax: checksSyntax ? RowSyntaxCheck(isForeign: description == nil) : nil) {
            [unowned self] rows in tables[tables.count - 1].rows += rows
        }
    }

    func endTable(_ totals: TableTotals) throws { ended.append(totals) }
    func advanced(table: String, rows: Int64, bytes: Int64) throws {}

    private final class Stage: RowStage, @unchecked Sendable {
        private let take: ([[UInt8]]) -> Void
        private let syntax: RowSyntaxCheck?

        init(syntax: RowSyntaxCheck?, take: @escaping ([[UInt8]]) -> Void) {
            self.syntax = syntax
            self.take = take
        }

        func makeBuffer() -> (any AnyObject & Sendable)? { nil }
        func process(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
            try syntax?.process(batch, buffer)
        }
        func deliver(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
            let text = UnsafeRawBufferPointer(start: batch.bytes, count: batch.count)
            take(batch.rows.map { Array(text[Int($0.start)..<Int($0.end)]) })
        }
    }
}

/// What reading an archive comes to.
enum Reading {
    static func all(_ path: String, usingManifest: Bool = true, workers: Int = 2) throws -> [SampleTable] {
        try some(nil, of: path, usingManifest: usingManifest, workers: workers)
    }

    static func some(
        _ names: Set<ExactName>?, of path: String, usingManifest: Bool = true, workers: Int = 2
    ) throws -> [SampleTable] {
        let collector = Collector()
        let archive = try ArchiveReader.open(path: path, usingManifest: usingManifest)
        _ = try archive.read(tables: names, workers: workers, consumer: collector)
        return collector.tables
    }

    /// The error with which a whole reading ends; nil where it succeeds.
    static func failure(_ path: String, usingManifest: Bool = true, workers: Int = 1) throws -> BackupError? {
        do {
            _ = try all(path, usingManifest: usingManifest, workers: workers)
            return nil
        } catch let error as BackupError {
            return error
        }
    }
}

extension SampleTable: Equatable {}
