import BackupArchive
import BackupCore
import Foundation
import Testing

@Suite("Archives are read as they were written")
struct RoundTripTests {
    /// 5 MiB in one row, between small ones.
    private static let large = SampleTable(
        "large",
        texts: [
            #"{"id":1,"name":"a"}"#, "{\"id\":2,\"name\":\"\(String(repeating: "0123456789abcdef", count: 327_680))\"}",
            #"{"id":3,"name":"b"}"#,
        ])

    /// Tests take their index: the testing library would print hundreds of thousands of rows.
    static let shapes: [[SampleTable]] = [
        [], [SampleTable("none", rows: [])], [SampleTable("one", texts: [#"{"id":1,"name":"x"}"#])], Sample.small,
        [large],
        [SampleTable("no columns", texts: ["{}", "{}"])],
        [
            SampleTable("quote\" back\\slash\nline\ttab", texts: [#"{"id":1,"name":"x"}"#]),
            SampleTable("Größe/日本語/😀\u{1}", texts: [#"{"id":1,"name":"x"}"#]), SampleTable("", rows: []),
        ],
        (0..<2_000).map { SampleTable("table \($0)", texts: $0 % 3 == 0 ? [] : ["{\"id\":\($0),\"name\":\"\"}"]) },
        [SampleTable("first", rows: []), .random("many", count: 300_000, seed: 1), .random("last", count: 3, seed: 2)],
    ]

    @Test("whatever their shape", arguments: shapes.indices, CompressionLevel.allCases)
    func roundTrip(_ shape: Int, _ level: CompressionLevel) throws {
        let tables = Self.shapes[shape]
        let directory = try TemporaryDirectory()
        let result = try Sample.write(tables, in: directory, compression: level)
        #expect(result.recordCount == Int64(tables.reduce(0) { $0 + $1.rows.count }))
        #expect(result.sha256 == (try ArchiveCopy.sha256(of: result.path)))
        let found = try Reading.all(result.path)
        let without = try Reading.all(result.path, usingManifest: false, workers: 1)
        // Not compared within `#expect`, which would print hundreds of megabytes.
        let areEqual = found == tables && without == tables
        #expect(areEqual)
        let reader = try ArchiveReader.open(path: result.path)
        #expect(reader.form == .members && reader.manifest != nil)
        #expect(reader.header.tables.map(\.name) == tables.map(\.name))
    }

    @Test("other programs read them", arguments: shapes.indices, CompressionLevel.allCases)
    func otherPrograms(_ shape: Int, _ level: CompressionLevel) throws {
        let tables = Self.shapes[shape]
        let directory = try TemporaryDirectory()
        let result = try Sample.write(tables, in: directory, compression: level)
        try Shell.run(#"gzip -t "$1""#, result.path)
        let printed = try Shell.run(
            #"""
            zcat "$1" | python3 -c 'import json,sys
            archive = json.load(sys.stdin)
            assert list(archive)[0] == "version" and archive["version"] == "1.2.0"
            assert archive["summary"]["record_count"] == sum(map(len, archive["tables"].values()))
            for name, rows in archive["tables"].items(): print(json.dumps(name), len(rows))'
            """#, result.path)
        let expected = try tables.map { table in
            let name = try #require(
                try JSONDecoder().decode([String: Int].self, from: Data("{\(escaped(table.name)):0}".utf8)).keys.first)
            return "\(pythonEscaped(name)) \(table.rows.count)\n"
        }
        #expect(printed == expected.joined())
    }

    /// A row of the greatest ordinary size behind rows that just do not end their member.
    @Test("a member of the greatest ordinary length")
    func longestMember() throws {
        let directory = try TemporaryDirectory()
        let table = SampleTable(
            String(repeating: "n", count: 60_000),
            texts: [MemberBoundary.largest - 1, MemberBoundary.largest].map { size in
                "{\"id\":\"" + String(repeating: "x", count: size - 9) + "\"}"
            })
        let writer = try ArchiveWriter(
            temporaryPath: directory.file("x.partial"), header: Sample.header([table]), compression: .fast, workers: 1)
        func add(_ rows: [[UInt8]]) throws {
            let batch = try writer.nextBatch()
            for row in rows {
                let start = batch.beginRow(reserving: row.count)
                batch.append(row)
                _ = batch.endRow(startedAt: start)
            }
        }
        try writer.beginTable(table.description)
        try add(table.rows)
        try writer.submit(last: true)
        try writer.finish { _ in }
        let areEqual =
            try Reading.all(try writer.publish(directory: directory.path, stem: "b") { _ in }.path) == [table]
        #expect(areEqual)
    }

    @Test("a writer refuses what a reader would refuse: a large row among others")
    func largeAmongOthers() throws {
        let directory = try TemporaryDirectory()
        let writer = try ArchiveWriter(
            temporaryPath: directory.file("x.partial"), header: Sample.header(Sample.small), compression: .fast,
            workers: 1)
        try writer.beginTable(Sample.small[0].description)
        let batch = try writer.nextBatch()
        for size in [10, 5 << 20] {
            let start = batch.beginRow(reserving: size)
            batch.append(repeatElement(UInt8(ascii: "1"), count: size))
            _ = batch.endRow(startedAt: start)
        }
        #expect(throws: BackupError.self) { try writer.submit(last: false) }
    }

    @Test("a table cannot be begun twice, and no table within another")
    func order() throws {
        let directory = try TemporaryDirectory()
        let table = Sample.small[0]
        let writer = try ArchiveWriter(
            temporaryPath: directory.file("x.partial"), header: Sample.header([table]), compression: .fast, workers: 1)
        try writer.beginTable(table.description)
        #expect(throws: BackupError.self) { try writer.beginTable(Sample.small[1].description) }
        _ = try writer.nextBatch()
        try writer.submit(last: true)
        #expect(throws: BackupError.self) { try writer.beginTable(table.description) }
        #expect(throws: BackupError.self) { try writer.nextBatch() }
    }

    private func escaped(_ text: String) -> String { String(decoding: JSONBuilder.string(text), as: UTF8.self) }

    /// As Python's `json.dumps` writes it: ASCII alone, surrogate pairs.
    private func pythonEscaped(_ text: String) -> String {
        var output = ""
        for unit in escaped(text).utf16 {
            if unit < 0x80 {
                output.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            } else {
                let digits = String(unit, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return output
    }
}

@Suite("The same rows give the same bytes")
struct DeterminismTests {
    private static let tables = [
        SampleTable.random("many", count: 60_000, seed: 3, spread: 40), .random("few", count: 10, seed: 4),
    ]

    @Test("whoever compresses them", arguments: CompressionLevel.allCases)
    func workers(_ level: CompressionLevel) throws {
        var archives: Set<[UInt8]> = []
        var manifests: Set<[UInt8]> = []
        for workers in [1, 1, 2, 5] {
            let directory = try TemporaryDirectory()
            let result = try Sample.write(Self.tables, in: directory, compression: level, workers: workers)
            archives.insert(try Files.read(result.path))
            manifests.insert(try Files.read(result.path + ".manifest.json"))
        }
        #expect(archives.count == 1)
        #expect(manifests.count == 1)
    }

    /// ISA-L has let the address of its own state decide whether it finds again what a text begins with. Each of these
    /// texts has its third to sixth byte twice.
    @Test("in thousands of small members too", arguments: CompressionLevel.allCases)
    func smallMembers(_ level: CompressionLevel) throws {
        let padding = String(repeating: "0123456789", count: 10)
        let tables = (1_000..<5_000).map { number in
            SampleTable("t\(number)", texts: [#"{"t\#(number)":"\#(padding)"}"#])
        }
        let archives = try [1, 4, 3].map { workers in
            let directory = try TemporaryDirectory()
            return try Files.read(try Sample.write(tables, in: directory, compression: level, workers: workers).path)
        }
        #expect(archives[0] == archives[1])
        #expect(archives[0] == archives[2])
    }

    @Test("and a row more leaves all but a few members as they were", arguments: [0, 29_999, 60_000])
    func insertion(_ place: Int) throws {
        let directory = try TemporaryDirectory()
        var tables = Self.tables
        let before = Member.all(of: try Files.read(try Sample.write(tables, in: directory).path))
        tables[0].rows.insert(Array(#"{"id":-5,"name":"new"}"#.utf8), at: place)
        let after = Member.all(of: try Files.read(try Sample.write(tables, in: directory).path))
        let kept = Set(before.map(\.bytes)).intersection(after.map(\.bytes))
        #expect(before.count > 8)
        #expect(before.count - kept.count <= 4, "\(kept.count) of \(before.count) members are equal")
    }

    @Test("balanced is smaller than fast")
    func levels() throws {
        let directory = try TemporaryDirectory()
        let fast = try Sample.write(Self.tables, in: directory, compression: .fast)
        let balanced = try Sample.write(Self.tables, in: directory, stem: "other", compression: .balanced)
        #expect(balanced.size < fast.size)
        #expect(balanced.tables == fast.tables)
    }
}
