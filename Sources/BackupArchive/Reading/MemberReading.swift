internal import BackupCore
internal import BackupFiles
internal import CXXHash
internal import Glibc

/// One reading of an archive with members: a thread reads the file, workers decompress, split and decode, and the
/// caller's thread takes the rows in order and compares totals.
struct MemberReading {
    private let archive: ArchiveReader
    private let consumer: any ArchiveConsumer
    private let wanted: Set<String>?
    private let pipeline: OrderedPipeline<ReadSlot>
    private let box = StageBox()
    private let manifest: ManifestWriter?

    /// - Parameter manifest: is told of all tables and members, to make a manifest anew.
    init(
        _ archive: ArchiveReader, tables: Set<String>?, workers: Int, consumer: any ArchiveConsumer,
        manifest: ManifestWriter? = nil
    ) {
        self.archive = archive
        self.consumer = consumer
        self.manifest = manifest
        wanted = tables
        let decompressors = (0..<workers).map { _ in MemberDecompressor() }
        pipeline = OrderedPipeline(slots: (0..<workers + 2).map { _ in ReadSlot() }, workers: workers) { worker, slot in
            try RowSplitter.work(on: slot, with: decompressors[worker])
        }
    }

    func run() throws -> ArchiveReader.Findings {
        defer { pipeline.stop() }
        let producer = MemberProducer(archive: archive, wanted: wanted, pipeline: pipeline, box: box)
        pipeline.startThread(named: "archive-reader") { [pipeline] in
            do {
                try producer.run()
                pipeline.endOfInput()
            } catch {
                pipeline.fail(error)
            }
        }
        var totals: [TableTotals] = []
        var check = TotalsCheck(archive: archive, wanted: wanted)
        var rows: Int64 = 0
        var bytes: Int64 = 0
        while let slot = try pipeline.nextDone() {
            switch slot.kind {
            case .tableBegins(let name, let description):
                totals.append(TableTotals(name: name))
                check.beginTable()
                if let description { try manifest?.beginTable(description) }
                box.stage = try consumer.beginTable(name, description: description)
            case .rows:
                if let header = slot.header {
                    let crc32 = slot.storedCRC32(header)
                    check.add(header, slot, crc32: crc32)
                    try manifest?.addMember(
                        offset: slot.offset, length: Int(header.memberLength), rows: slot.batch.rowCount, crc32: crc32)
                }
                totals[totals.count - 1].rows += Int64(slot.batch.rowCount)
                totals[totals.count - 1].digest.add(slot.batch.digest)
                rows += Int64(slot.batch.rowCount)
                bytes += Int64(slot.batch.count)
                try slot.stage?.deliver(slot.batch, slot.stageBuffer())
                try consumer.advanced(table: slot.table, rows: rows, bytes: bytes)
            case .tableEnds:
                let table = totals[totals.count - 1]
                try check.endTable(table)
                try manifest?.endTable(table)
                try consumer.endTable(table)
            case .summary:
                try check.summary(slot, totals)
            }
            slot.recycle()
            pipeline.release()
        }
        return ArchiveReader.Findings(tables: totals, sha256: producer.sha256, header: archive.header)
    }
}

/// The side of a reading that walks through the file.
final class MemberProducer: @unchecked Sendable {
    private let archive: ArchiveReader
    private let wanted: Set<String>?
    private let pipeline: OrderedPipeline<ReadSlot>
    private let box: StageBox
    private var digest = FileDigest()
    /// Of the file, once everything was read.
    private(set) var sha256: String?

    init(
        archive: ArchiveReader, wanted: Set<String>?, pipeline: OrderedPipeline<ReadSlot>, box: StageBox
    ) {
        self.archive = archive
        self.wanted = wanted
        self.pipeline = pipeline
        self.box = box
    }

    func run() throws {
        var walker = MemberWalker(file: archive.file, offset: archive.preambleEnd)
        if wanted == nil {
            archive.file.adviseSequential()
            try digestPreamble()
        }
        for (index, table) in archive.header.tables.enumerated() {
            let isWanted = wanted?.contains(table.name) ?? true
            if wanted != nil, let manifest = archive.manifest {
                guard isWanted else { continue }
                walker.jump(to: manifest.tables[index].offset)
            }
            try pass(table, isFirst: index == 0, isWanted: isWanted, &walker)
        }
        if wanted != nil, archive.manifest != nil { return }
        try passSummary(&walker)
        if wanted == nil { sha256 = digest.hexadecimal }
        if let manifest = archive.manifest, let sha256, sha256 != manifest.archiveSHA256 {
            throw BackupError(
                .damaged,
                "its SHA-256 is \(sha256), its manifest says \(manifest.archiveSHA256): "
                    + ArchiveReader.damageHint)
        }
    }

    private func digestPreamble() throws {
        var offset = 0
        while offset < archive.preambleEnd {
            let piece = try archive.file.bytes(at: offset, count: min(256 * 1024, archive.preambleEnd - offset))
            guard !piece.isEmpty else { throw BackupError(.damaged, "the file became shorter while it was read") }
            piece.withUnsafeBytes { digest.update($0) }
            offset += piece.count
        }
    }

    private func pass(
        _ table: TableDescription, isFirst: Bool, isWanted: Bool, _ walker: inout MemberWalker
    ) throws {
        if isWanted {
            try pipeline.nextFree().kind = .tableBegins(table.name, table)
            pipeline.submit()
            try pipeline.drain()
        }
        var isOpen = false
        while true {
            guard let header = try walker.nextHeader(), header.kind == .rows, header.opensTable == !isOpen else {
                throw walker.damaged("a member of table \"\(table.name)\" is missing here")
            }
            isOpen = true
            if isWanted {
                try hand(header, of: table, isFirst: isFirst, &walker)
            } else {
                walker.skip(header)
            }
            if header.closesTable { break }
        }
        if isWanted {
            try pipeline.nextFree().kind = .tableEnds
            pipeline.submit()
        }
    }

    private func hand(
        _ header: MemberHeader, of table: TableDescription, isFirst: Bool, _ walker: inout MemberWalker
    ) throws {
        let isLarge = Int(header.textLength) > MemberHeader.longestSharedText
        if isLarge { try pipeline.drain() }
        let slot = try pipeline.nextFree()
        slot.kind = .rows
        slot.header = header
        slot.offset = walker.offset
        slot.table = table.name
        slot.isFirstTable = isFirst
        slot.stage = box.stage
        try walker.read(header, into: slot.member)
        if wanted == nil {
            digest.update(UnsafeRawBufferPointer(start: slot.member.base, count: Int(header.memberLength)))
        }
        pipeline.submit()
        if isLarge { try pipeline.drain() }
    }

    private func passSummary(_ walker: inout MemberWalker) throws {
        guard let header = try walker.nextHeader(), header.kind == .summary else {
            throw walker.damaged("the summary is missing: the archive is not complete")
        }
        let slot = try pipeline.nextFree()
        slot.kind = .summary
        slot.header = header
        slot.offset = walker.offset
        slot.table = digest.hexadecimal
        try walker.read(header, into: slot.member)
        if wanted == nil {
            digest.update(UnsafeRawBufferPointer(start: slot.member.base, count: Int(header.memberLength)))
        }
        pipeline.submit()
        guard walker.offset == archive.file.size else { throw walker.damaged("something follows the summary") }
    }
}

/// Compares what is found with what manifest and summary say.
struct TotalsCheck {
    private let archive: ArchiveReader
    private let wanted: Set<String>?
    private let manifestTables: [String: Manifest.Table]
    private var members = MemberListDigest()
    private var memberCount = 0

    init(archive: ArchiveReader, wanted: Set<String>?) {
        self.archive = archive
        self.wanted = wanted
        manifestTables = Dictionary(
            (archive.manifest?.tables ?? []).map { ($0.description.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    mutating func beginTable() {
        members = MemberListDigest()
        memberCount = 0
    }

    mutating func add(_ header: MemberHeader, _ slot: ReadSlot, crc32: UInt32) {
        members.add(
            offset: slot.offset, length: Int(header.memberLength), rows: slot.batch.rowCount, crc32: crc32)
        memberCount += 1
    }

    func endTable(_ totals: TableTotals) throws {
        guard let manifest = archive.manifest else { return }
        guard let table = manifestTables[totals.name], table.totals == totals, table.members == members,
            table.memberCount == memberCount
        else {
            throw BackupError(
                .damaged,
                "table \"\(totals.name)\" is not what the manifest \(manifest.path) says: "
                    + ArchiveReader.damageHint)
        }
    }

    func summary(_ slot: ReadSlot, _ totals: [TableTotals]) throws {
        let text = Array(UnsafeRawBufferPointer(start: slot.batch.bytes, count: slot.batch.count))
        let summary = try ArchiveSummary(text: text)
        guard summary.tables.map(\.name) == archive.header.tables.map(\.name),
            summary.precedingBytes == slot.offset,
            wanted != nil || summary.precedingSHA256 == slot.table
        else {
            throw BackupError(
                .damaged, "its summary describes other members than it has: \(ArchiveReader.damageHint)")
        }
        let expected = Dictionary(summary.tables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for found in totals where expected[found.name] != found {
            throw BackupError(
                .damaged, "table \"\(found.name)\" is not what the summary says: \(ArchiveReader.damageHint)")
        }
    }
}
