import BackupArchive
import BackupCore
import Testing

/// What the files in `Golden` hold. Format 1 never changes, so neither may these: a new format gets files of its own.
enum GoldenContent {
    static let tables = [
        SampleTable(
            "entities",
            texts: [
                #"{"id":1,"name":"Müller's \"Server\""}"#, #"{"id":9223372036854775807,"name":null}"#,
                #"{"id":-9223372036854775808,"name":{"$text":"/w=="}}"#,
                #"{"id":{"$real":"-Infinity"},"name":{"$bytes":"AAEC"}}"#, #"{"id":1e-320,"name":"\u0000\t😀"}"#,
            ]),
        SampleTable("empty", rows: []), SampleTable("odd \"name\"\n/é", texts: [#"{"id":-0.0,"name":""}"#]),
        .random("many", count: 4_000, seed: 2026, spread: 20),
    ]

    static let files: [(stem: String, level: CompressionLevel, tables: [SampleTable])] = [
        ("format1_fast", .fast, tables), ("format1_balanced", .balanced, tables), ("format1_empty", .fast, []),
    ]

    static func write(in directory: TemporaryDirectory) throws -> [ArchiveWriter.Result] {
        try files.map { try Sample.write($0.tables, in: directory, stem: $0.stem, compression: $0.level) }
    }
}

/// Archives written by the first version of this program: every later one must read them.
@Suite("Golden archives")
struct GoldenTests {
    @Test("are read as they were written", arguments: GoldenContent.files.indices)
    func read(_ index: Int) throws {
        let golden = GoldenContent.files[index]
        let path = Files.beside("Golden/\(golden.stem).json.gz")
        #expect(try Reading.all(path) == golden.tables)
        #expect(try Reading.all(path, usingManifest: false) == golden.tables)
        let archive = try ArchiveReader.open(path: path)
        let expected = Sample.header(golden.tables)
        #expect(archive.form == .members)
        #expect(archive.header.generator == expected.generator && archive.header.source == expected.source)
        #expect(archive.header.jobID == 7 && archive.header.jobName == "nightly")
        #expect(archive.header.timestamp == expected.timestamp && archive.header.version == "1.2.0")
        #expect(archive.header.tables == expected.tables)
        let manifest = try #require(archive.manifest)
        #expect(manifest.archiveName == "\(golden.stem).json.gz")
        #expect(manifest.archiveSHA256 == (try ArchiveCopy.sha256(of: path)))
        #expect(manifest.tables.map(\.totals.rows) == golden.tables.map { Int64($0.rows.count) })
    }

    @Test("the same content is still written with the same text, digests and boundaries")
    func write() throws {
        let directory = try TemporaryDirectory()
        for (result, golden) in zip(try GoldenContent.write(in: directory), GoldenContent.files) {
            let path = Files.beside("Golden/\(golden.stem).json.gz")
            let old = try #require(try ArchiveReader.open(path: path).manifest)
            let new = try #require(try ArchiveReader.open(path: result.path).manifest)
            #expect(new.tables.map(\.totals) == old.tables.map(\.totals))
            #expect(new.tables.map(\.memberCount) == old.tables.map(\.memberCount))
            // The summary's last lines tell the compressed size and its digest, which another compressor may change.
            #expect(try textBeforeSummary(result.path) == textBeforeSummary(path))
        }
    }

    private func textBeforeSummary(_ path: String) throws -> [UInt8] {
        var text: [UInt8] = []
        try ArchiveText.read(path: path) { text += $0 }
        let end = try #require(text.indices.last { text[$0...].starts(with: Array("\n},\n\"summary\"".utf8)) })
        return Array(text[..<end])
    }
}
