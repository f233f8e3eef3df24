internal import BackupCore

/// Looks on while an archive with members is read, on the reader's thread.
protocol ReadingObserver: AnyObject {
    func tableBegan(_ description: TableDescription?) throws
    /// A member with rows; its batch is split, and its text is not changed yet but for what the row stage did.
    func rows(in slot: ReadSlot, _ header: MemberHeader) throws
    func tableEnded(_ totals: TableTotals) throws
    /// The summary's text is in the slot's batch.
    func summary(_ slot: ReadSlot, _ totals: [TableTotals]) throws
}

/// Compares what is found with what manifest and summary say.
final class TotalsCheck: ReadingObserver {
    private let archive: ArchiveReader
    private let wanted: Set<ExactName>?
    private let manifestTables: [ExactName: Manifest.Table]
    private var members = MemberListDigest()
    private var memberCount = 0

    init(archive: ArchiveReader, wanted: Set<ExactName>?) {
        self.archive = archive
        self.wanted = wanted
        manifestTables = Dictionary(
            (archive.manifest?.tables ?? []).map { (ExactName($0.description.name), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    func tableBegan(_ description: TableDescription?) {
        members = MemberListDigest()
        memberCount = 0
    }

    func rows(in slot: ReadSlot, _ header: MemberHeader) {
        members.add(
            offset: slot.offset, length: Int(header.memberLength), rows: slot.batch.rowCount,
            crc32: slot.storedCRC32(header))
        memberCount += 1
    }

    func tableEnded(_ totals: TableTotals) throws {
        guard let manifest = archive.manifest else { return }
        guard let table = manifestTables[ExactName(totals.name)], table.totals == totals, table.members == members,
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
        guard summary.tables.map({ ExactName($0.name) }) == archive.header.tables.map({ ExactName($0.name) }),
            summary.precedingBytes == slot.offset,
            wanted != nil || summary.precedingSHA256 == slot.table
        else {
            throw BackupError(
                .damaged, "its summary describes other members than it has: \(ArchiveReader.damageHint)")
        }
        let expected = Dictionary(
            summary.tables.map { (ExactName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        for found in totals where expected[ExactName(found.name)] != found {
            throw BackupError(
                .damaged, "table \"\(found.name)\" is not what the summary says: \(ArchiveReader.damageHint)")
        }
    }
}

/// Tells a manifest that is made anew of all tables and members.
final class ManifestRebuild: ReadingObserver {
    private let writer: ManifestWriter

    init(writer: ManifestWriter) { self.writer = writer }

    func tableBegan(_ description: TableDescription?) throws {
        if let description { try writer.beginTable(description) }
    }

    func rows(in slot: ReadSlot, _ header: MemberHeader) throws {
        try writer.addMember(
            offset: slot.offset, length: Int(header.memberLength), rows: slot.batch.rowCount,
            crc32: slot.storedCRC32(header))
    }

    func tableEnded(_ totals: TableTotals) throws { try writer.endTable(totals) }

    func summary(_ slot: ReadSlot, _ totals: [TableTotals]) {}
}
