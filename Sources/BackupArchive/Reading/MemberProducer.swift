internal import BackupCore
internal import BackupFiles

extension ArchiveReader {
    /// Reads an archive with members; see ``read(tables:workers:consumer:)``.
    ///
    /// - Parameter manifest: is told of all tables and members, to make a manifest anew.
    func readMembers(
        tables: Set<ExactName>?, workers: Int, consumer: any ArchiveConsumer, manifest: ManifestWriter? = nil
    ) throws -> Findings {
        let decompressors = try (0..<workers).map { _ in try MemberDecompressor() }
        let reading = Reading(workers: workers) { worker, slot in
            try RowSplitter.work(on: slot, with: decompressors[worker])
        }
        let producer = MemberProducer(archive: self, wanted: tables, pipeline: reading.pipeline, box: reading.box)
        var observers: [any ReadingObserver] = [TotalsCheck(archive: self, wanted: tables)]
        if let manifest { observers.append(ManifestRebuild(writer: manifest)) }
        let totals = try reading.run(producer, consumer: consumer, observers: observers)
        return Findings(tables: totals, sha256: producer.sha256, header: header)
    }
}

/// The side of a reading that walks through the file.
final class MemberProducer: ReadingProducer, @unchecked Sendable {
    private let archive: ArchiveReader
    private let wanted: Set<ExactName>?
    private let pipeline: OrderedPipeline<ReadSlot>
    private let box: StageBox
    private var digest = FileDigest()
    /// Of the file, once everything was read.
    private(set) var sha256: String?

    init(
        archive: ArchiveReader, wanted: Set<ExactName>?, pipeline: OrderedPipeline<ReadSlot>, box: StageBox
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
            let isWanted = wanted?.contains(ExactName(table.name)) ?? true
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
