package import BackupCore
internal import BackupFiles
internal import Foundation

/// Writes an archive and its manifest: rows come in on the caller's thread, workers compress them and check what they
/// compressed, and one more thread writes everything in order.
///
/// Nothing has a final name before ``publish(directory:name:)``; an archive that is not published is removed again.
package final class ArchiveWriter {
    /// What a finished archive is.
    package struct Result: Sendable, Equatable {
        package var path: String
        package var name: String
        /// In bytes.
        package var size: Int64
        /// In lower-case hexadecimal digits.
        package var sha256: String
        package var tables: [TableTotals]
        package var recordCount: Int64 { tables.reduce(0) { $0 + $1.rows } }

        package init(
            path: String, name: String, size: Int64, sha256: String, tables: [TableTotals]
        ) {
            self.path = path
            self.name = name
            self.size = size
            self.sha256 = sha256
            self.tables = tables
        }
    }

    /// The moments in an archive's life between which a crash must do no harm.
    package enum Step: Sendable {
        case archiveWritten, archiveSynced, archiveRenamed, manifestWritten, manifestRenamed, directorySynced
    }

    private let pipeline: OrderedPipeline<MemberSlot>
    private let output: MemberOutput
    private var slot: MemberSlot?
    private var table: TableDescription?
    private var tableIndex = 0
    private var opensTable = false
    private var names: Set<ExactName> = []

    /// - Parameters:
    ///   - temporaryPath: where the archive grows; the manifest grows beside it.
    ///   - workers: threads that compress.
    package init(
        temporaryPath: String, header: ArchiveHeader, compression: CompressionLevel, workers: Int
    ) throws {
        output = try MemberOutput(temporaryPath: temporaryPath, header: header)
        let compressors = try (0..<workers).map { _ in try MemberCompressor(level: compression) }
        let slots = (0..<workers + 2).map { _ in MemberSlot() }
        pipeline = OrderedPipeline(slots: slots, workers: workers) { worker, slot in
            try compressors[worker].compress(slot)
        }
        pipeline.startThread(named: "archive-writer") { [pipeline, output] in
            do {
                while let slot = try pipeline.nextDone() {
                    try output.write(slot)
                    slot.recycle()
                    pipeline.release()
                }
            } catch {
                pipeline.fail(error)
            }
        }
        do {
            try writePreamble(try header.preamble())
        } catch {
            pipeline.stop()
            throw error
        }
    }

    deinit {
        pipeline.stop()
        output.discard()
    }

    // MARK: Rows

    /// Begins a table. Its name must be new.
    package func beginTable(_ table: TableDescription) throws {
        guard self.table == nil else { throw BackupError(.internal, "a table was begun within another") }
        guard names.insert(ExactName(table.name)).inserted else {
            throw BackupError(.internal, "the table \"\(table.name)\" was begun twice")
        }
        self.table = table
        opensTable = true
    }

    /// A batch for the table's next rows; waits until one is free.
    ///
    /// - Parameter alone: wait until nothing else is in flight, for a row so large that memory must not hold others.
    package func nextBatch(alone: Bool = false) throws -> RowBatch {
        guard let table else { throw BackupError(.internal, "rows outside of a table") }
        if alone { try pipeline.drain() }
        let slot = try pipeline.nextFree()
        self.slot = slot
        slot.batch.reset(
            prefix: opensTable ? MemberText.opening(of: table.name, isFirst: tableIndex == 0) : [],
            opensTable: opensTable)
        return slot.batch
    }

    /// Takes the batch back that ``nextBatch(alone:)`` gave; no row may be in it.
    package func giveBack() { slot = nil }

    /// Hands on the batch that ``nextBatch(alone:)`` gave.
    ///
    /// - Parameter last: whether the table ends with it.
    package func submit(last: Bool, alone: Bool = false) throws {
        guard let slot, let table else { throw BackupError(.internal, "a batch was handed on twice") }
        if last { slot.batch.append(MemberText.closing) }
        guard slot.batch.rowCount <= 1 || slot.batch.count <= MemberHeader.longestSharedText else {
            throw BackupError(.internal, "a large row of table \"\(table.name)\" was not handed on by itself")
        }
        slot.kind = .rows
        slot.table = table
        slot.opensTable = opensTable
        slot.closesTable = last
        self.slot = nil
        opensTable = false
        if last {
            tableIndex += 1
            self.table = nil
        }
        pipeline.submit()
        if alone { try pipeline.drain() }
    }

    // MARK: The end

    /// Writes the summary, makes the file durable, reads it back and compares.
    package func finish(_ observe: (Step) -> Void) throws {
        guard table == nil else { throw BackupError(.internal, "the archive ends within a table") }
        try pipeline.drain()
        let slot = try pipeline.nextFree()
        slot.batch.reset(prefix: output.summary().text(), opensTable: false)
        slot.kind = .summary
        pipeline.submit()
        try pipeline.drain()
        pipeline.endOfInput()
        observe(.archiveWritten)
        try output.syncAndCheck()
        observe(.archiveSynced)
    }

    /// Gives archive and manifest their names in `directory`, in this order: the manifest is the commit point. A name
    /// that is taken gets `_2`, `_3`, … before its extension.
    package func publish(directory: String, stem: String, _ observe: (Step) -> Void) throws -> Result {
        try output.publish(directory: directory, stem: stem, observe)
    }

    private func writePreamble(_ text: [UInt8]) throws {
        var rest = text[...]
        while !rest.isEmpty {
            let slot = try pipeline.nextFree()
            slot.batch.reset(prefix: Array(rest.prefix(MemberBoundary.largest)), opensTable: false)
            slot.kind = .preamble
            rest = rest.dropFirst(MemberBoundary.largest)
            pipeline.submit()
        }
    }
}

/// The text around a table's rows.
enum MemberText {
    static func opening(of table: String, isFirst: Bool) -> [UInt8] {
        Array((isFirst ? "\n" : ",\n").utf8) + JSONBuilder.string(table) + Array(": [".utf8)
    }

    static let closing = Array("\n]".utf8)
}

/// One member on its way from rows to bytes of the file.
final class MemberSlot: @unchecked Sendable {
    let batch = RowBatch()
    /// The whole member: header, compressed data, trailer.
    let member = ByteBuffer(capacity: MemberBoundary.largest)
    var memberLength = 0
    var crc32: UInt32 = 0
    var kind = MemberHeader.Kind.rows
    var table: TableDescription?
    var opensTable = false
    var closesTable = false

    func recycle() {
        batch.reset()
        member.shrink()
        table = nil
        opensTable = false
        closesTable = false
    }
}

/// Compresses members and proves that what it made can be read again. Belongs to one worker thread.
final class MemberCompressor: @unchecked Sendable {
    private let deflater: any MemberDeflater
    private let inflater: MemberInflater

    init(level: CompressionLevel) throws {
        deflater = try level.makeDeflater()
        inflater = try MemberInflater()
    }

    func compress(_ slot: MemberSlot) throws {
        let text = UnsafeRawBufferPointer(start: slot.batch.bytes, count: slot.batch.count)
        guard text.count <= MemberHeader.longestText else {
            throw BackupError(.unsupported, "a row's text is over 2 GiB; lower BACKUP_MAX_ROW to refuse such rows")
        }
        let overhead = MemberHeader.length + MemberHeader.trailerLength
        let bound = deflater.bound(text.count)
        slot.member.require(bound + overhead)
        let data = slot.member.base + MemberHeader.length
        guard let length = deflater.deflate(text, into: data, capacity: slot.member.capacity - overhead) else {
            throw BackupError(.internal, "a member of \(text.count) bytes cannot be compressed")
        }
        guard inflater.check(UnsafeRawBufferPointer(start: data, count: length), against: text) else {
            throw BackupError(
                .internal, "a compressed member does not give back what went in; the machine's memory may be faulty")
        }
        slot.crc32 = GzipChecksum.crc32(text)
        data.storeBytes(of: slot.crc32.littleEndian, toByteOffset: length, as: UInt32.self)
        data.storeBytes(of: UInt32(text.count).littleEndian, toByteOffset: length + 4, as: UInt32.self)
        slot.memberLength = length + overhead
        MemberHeader(
            kind: slot.kind, opensTable: slot.opensTable, closesTable: slot.closesTable,
            memberLength: UInt32(slot.memberLength), textLength: UInt32(text.count),
            rowCount: UInt32(slot.batch.rowCount)
        ).write(to: slot.member.base)
    }
}
