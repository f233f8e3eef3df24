import BackupArchive
import BackupCore
import Testing

@Suite("Names are bytes")
struct NameTests {
    /// The same letters, as one character and as two.
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    @Test("two tables whose names Unicode holds for equal", arguments: [true, false])
    func tables(usingManifest: Bool) throws {
        let directory = try TemporaryDirectory()
        let tables = [
            SampleTable(Self.composed, texts: [#"{"id":1,"name":"a"}"#]),
            SampleTable(Self.decomposed, texts: [#"{"id":2,"name":"b"}"#, #"{"id":3,"name":"c"}"#]),
        ]
        let path = try Sample.write(tables, in: directory).path
        #expect(try Reading.all(path, usingManifest: usingManifest).map(\.rows) == tables.map(\.rows))
        for table in tables {
            let found = try Reading.some([ExactName(table.name)], of: path, usingManifest: usingManifest)
            #expect(found.map(\.rows) == [table.rows])
        }
        _ = try ArchiveIndexer.reindex(path: path, workers: 1)
        #expect(try Reading.all(path).map(\.rows) == tables.map(\.rows))
        #expect(throws: BackupError.self) { try Reading.some(["cafe"], of: path) }
        #expect(tables[0].description != tables[1].description)
    }

    @Test("in the plain form too")
    func plain() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("plain.json")
        let text =
            "{\"version\":\"1.2.0\",\"\(Self.composed)\":1,\"\(Self.decomposed)\":2,\"tables\":"
            + "{\"\(Self.composed)\":[{\"\(Self.composed)\":1,\"\(Self.decomposed)\":2}],\"\(Self.decomposed)\":[]}}"
        try Files.write(Array(text.utf8), to: path)
        #expect(try Reading.all(path).map(\.rows.count) == [1, 0])
        #expect(try Reading.some([ExactName(Self.decomposed)], of: path).map(\.rows.count) == [0])
    }

    static let rows: [(row: String, key: String?)] = [
        (#"{"a":1,"b":2,"a":3}"#, "a"), (#"{"a":1,"\u0061":3}"#, "a"), (#"{"\u00e9":1, "é" : 3}"#, "é"),
        (#"{"\"":1,"\u0022":3}"#, "\""), (#"{"":[],"":{}}"#, ""), (#"{"a":{"a":[{"b":1}]},"b":1,"A":2}"#, nil),
        ("{ }", nil), (#"{"\ud83d\ude00":1,"😀":1}"#, "😀"), (#"{"x":{"y":1,"y":2}}"#, nil),
        ("{" + (0..<3000).map { "\"c\($0)\":\($0)" }.joined(separator: ",") + "}", nil),
        ("{" + (0..<3000).map { "\"c\($0 % 2999)\":NaN" }.joined(separator: ",") + "}", "c0"),
    ]

    @Test("a key that a row of the plain form has twice is found", arguments: rows)
    func duplicates(_ row: String, _ key: String?) throws {
        let batch = RowBatch()
        for text in [#"{"z":1,"c5":2}"#, row, #"{"z":1}"#] {
            let start = batch.beginRow(reserving: text.utf8.count)
            batch.append(Array(text.utf8))
            batch.addRow(start: start, end: batch.count)
        }
        let check = RowSyntaxCheck(isForeign: true)
        let buffer = check.makeBuffer()
        // Again, for the memory is used again.
        for _ in 0..<2 {
            do {
                try check.process(batch, buffer)
                #expect(key == nil)
            } catch let error as BackupError {
                #expect(error.code == .damaged)
                #expect(error.message.contains("the key \"\(key ?? "none")\" is there twice"), "\(error)")
            }
        }
    }
}
