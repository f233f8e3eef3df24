internal import BackupCore
internal import BackupFiles

extension ArchiveReader {
    /// Reads an archive in Elder's plain form; see ``read(tables:workers:consumer:)``.
    func readPlain(tables: Set<ExactName>?, workers: Int, consumer: any ArchiveConsumer) throws -> Findings {
        let reading = Reading(workers: workers) { _, slot in
            guard case .rows = slot.kind else { return }
            do {
                try slot.stage?.process(slot.batch, slot.stageBuffer())
            } catch let error as BackupError {
                throw error.located("table \"\(slot.table)\"")
            }
        }
        let producer = PlainProducer(archive: self, wanted: tables, pipeline: reading.pipeline, box: reading.box)
        let totals = try reading.run(producer, consumer: consumer)
        return Findings(tables: totals, header: try producer.header())
    }
}

/// The side of a plain reading that walks through the text.
final class PlainProducer: ReadingProducer, @unchecked Sendable {
    private let archive: ArchiveReader
    private let wanted: Set<ExactName>?
    private let pipeline: OrderedPipeline<ReadSlot>
    private let box: StageBox
    private var identity: [(key: String, value: [UInt8])] = []
    private var seenKeys: Set<ExactName> = []
    private var seenTables: Set<ExactName> = []
    private var slot: ReadSlot?
    /// What the keys seen so far take, in bytes.
    private var keyBytes = 0
    /// What an export says of its tables; nil for what Elder wrote.
    private let descriptions: [ExactName: TableDescription]?

    /// A row's text, in bytes; a row of the largest values, each of which needs an escape.
    private static let longestRow = 512 << 20
    /// All names of tables and top-level keys together, in bytes; each counts for what it takes in memory besides.
    private static let longestKeys = 16 << 20
    private static let keyOverhead = 64
    /// Of such a key's value, in bytes.
    static let longestIdentity = 64 * 1024
    static let identityKeys: Set<ExactName> = ["version", "timestamp", "job_id", "job_name", "generator"]

    init(
        archive: ArchiveReader, wanted: Set<ExactName>?, pipeline: OrderedPipeline<ReadSlot>, box: StageBox
    ) {
        self.archive = archive
        self.wanted = wanted
        self.pipeline = pipeline
        self.box = box
        descriptions =
            archive.header.source == nil
            ? nil
            : Dictionary(
                archive.header.tables.map { (ExactName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
    }

    func header() throws -> ArchiveHeader {
        var text = Array("{".utf8)
        for (index, member) in identity.enumerated() {
            text +=
                (index == 0 ? [] : Array(",".utf8)) + JSONBuilder.string(member.key) + Array(":".utf8) + member.value
        }
        return try ArchiveHeader(topLevel: try JSONSlices(object: text + Array("}".utf8)))
    }

    func run() throws {
        var scanner = PlainScanner(
            stream: try PlainTextStream(file: archive.file), longestRow: PlainProducer.longestRow)
        try scanner.expect(UInt8(ascii: "{"))
        try eachMember(&scanner) { key, scanner in
            guard seenKeys.insert(ExactName(key)).inserted else {
                throw scanner.malformed("the key \"\(key)\" is there twice")
            }
            if key.isExactly("tables") {
                try passTables(&scanner)
            } else if key.isExactly(PlainPreamble.key) {
                // Further back it comes too late to say how rows are to be read.
                guard descriptions != nil else {
                    throw scanner.malformed("\"\(PlainPreamble.key)\" does not stand in front of \"tables\"")
                }
                try scanner.skipValue()
            } else if PlainProducer.identityKeys.contains(ExactName(key)) {
                let range = try scanner.value(atMost: PlainProducer.longestIdentity)
                identity.append((key, Array(UnsafeBufferPointer(start: scanner.bytes, count: range.upperBound)[range])))
            } else {
                try scanner.skipValue()
            }
        }
        try scanner.expectEnd()
        for key: ExactName in ["version", "tables"] where !seenKeys.contains(key) {
            throw BackupError(.damaged, "the key \"\(key)\" is missing: this is not a backup")
        }
        if seenKeys.contains("generator") {
            throw BackupError(
                .damaged,
                "it was written by elder-backup and compressed anew since, so that its members' digests "
                    + "are gone; use the original file")
        }
        try ArchiveReader.refuse(unknown: wanted?.subtracting(seenTables) ?? [])
    }

    private func eachMember(
        _ scanner: inout PlainScanner, _ body: (String, inout PlainScanner) throws -> Void
    ) throws {
        if try scanner.take(UInt8(ascii: "}")) { return }
        while true {
            let key = try scanner.string()
            keyBytes += key.utf8.count + PlainProducer.keyOverhead
            guard keyBytes <= PlainProducer.longestKeys else { throw scanner.malformed("there are too many keys") }
            try scanner.expect(UInt8(ascii: ":"))
            try body(key, &scanner)
            if try scanner.take(UInt8(ascii: "}")) { return }
            try scanner.expect(UInt8(ascii: ","))
        }
    }

    private func passTables(_ scanner: inout PlainScanner) throws {
        guard try scanner.take(UInt8(ascii: "{")) else { throw scanner.malformed("\"tables\" is not an object") }
        try eachMember(&scanner) { name, scanner in
            guard seenTables.insert(ExactName(name)).inserted else {
                throw scanner.malformed("the table \"\(name)\" is there twice")
            }
            guard wanted?.contains(ExactName(name)) ?? true else { return try scanner.skipValue() }
            guard try scanner.take(UInt8(ascii: "[")) else {
                throw try notAList(name, &scanner)
            }
            try passRows(of: name, &scanner)
        }
    }

    /// Elder writes `{"error": "…"}` in place of the rows of a table that it could not read.
    private func notAList(_ table: String, _ scanner: inout PlainScanner) throws -> BackupError {
        let range = try scanner.value(atMost: 1 << 20)
        let value = Array(UnsafeBufferPointer(start: scanner.bytes, count: range.upperBound)[range])
        let message = try? JSONSlices(object: value)["error"].flatMap(JSONSlices.string)
        return BackupError(
            .damaged,
            message.map { "this table is not in the backup: it could not be read when it was made (\($0))" }
                ?? "this table is not a list of rows", location: ["table \"\(table)\""])
    }

    private func passRows(of table: String, _ scanner: inout PlainScanner) throws {
        let description = descriptions?[ExactName(table)]
        if descriptions != nil, description == nil {
            throw scanner.malformed("the table \"\(table)\" is not among those that the export describes")
        }
        try pipeline.nextFree().kind = .tableBegins(table, description)
        pipeline.submit()
        try pipeline.drain()
        if try !scanner.take(UInt8(ascii: "]")) {
            while true {
                guard try scanner.peek() == UInt8(ascii: "{") else { throw scanner.malformed("a row is not an object") }
                let range = try scanner.value(atMost: scanner.rowLimit)
                try add(scanner.bytes + range.lowerBound, count: range.count, of: table)
                if try scanner.take(UInt8(ascii: "]")) { break }
                try scanner.expect(UInt8(ascii: ","))
            }
        }
        submitRows()
        try pipeline.nextFree().kind = .tableEnds
        pipeline.submit()
    }

    private func add(_ row: UnsafePointer<UInt8>, count: Int, of table: String) throws {
        if slot == nil {
            let free = try pipeline.nextFree()
            free.kind = .rows
            free.table = table
            free.stage = box.stage
            slot = free
        }
        guard let batch = slot?.batch else { return }
        batch.reserve(count)
        (batch.bytes + batch.count).copyMemory(from: row, byteCount: count)
        batch.noteRow(start: batch.count, end: batch.count + count)
        batch.count += count
        if batch.count >= MemberBoundary.smallest { submitRows() }
        if count > MemberBoundary.largest { try pipeline.drain() }
    }

    private func submitRows() {
        guard slot != nil else { return }
        slot = nil
        pipeline.submit()
    }
}
