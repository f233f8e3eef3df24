import BackupArchive
import BackupCore
import Foundation
import Glibc
import Testing

@Suite("Archives in the plain form are read")
struct PlainFormTests {
    private static let program = #"""
        import gzip, json, sys
        rows = [{"id": n, "name": "Zoë \"%d\"" % n, "cost": "12.50", "active": n % 2 == 0,
                 "attributes": {"tags": ["a", {"b": None}], "depth": {"x": {"y": []}}},
                 "at": "2025-10-29 15:00:00.123456"} for n in range(int(sys.argv[3]))]
        tables = {"entities": rows, "empty": [], "odd \"name\"/é\n": [{"id": 1}]}
        head = {"version": "1.2.0", "timestamp": "2026-11-23T01:29:03.696718+00:00", "job_id": 1, "job_name": "nightly"}
        deep = 0
        for _ in range(900): deep = [deep]
        form = sys.argv[2]
        backup = {**head, "tables": tables}
        if form == "reordered": backup = {"tables": tables, **dict(reversed(head.items()))}
        if form == "unknown": backup = {"x": deep, **head, "y": {"tables": [1, "}]"]}, "tables": tables, "z": [1.5e9, True]}
        text = json.dumps(backup, indent=2 if form not in ("compact", "unknown") else None,
                          separators=(",", ":") if form == "compact" else None, ensure_ascii=form != "unicode")
        if form == "crlf": text = text.replace("\n", "\r\n")
        data = text.encode()
        if form == "members": data = b"".join(gzip.compress(data[n:n + 977]) for n in range(0, len(data), 977))
        elif form != "uncompressed": data = gzip.compress(data)
        open(sys.argv[1], "wb").write(data)
        if form == "named":
            with gzip.open(sys.argv[1], "wt", encoding="utf-8") as file: json.dump(backup, file, indent=2)
        """#

    static let forms = [
        "indented", "named", "compact", "crlf", "members", "uncompressed", "reordered", "unknown", "unicode",
    ]

    @Test("whatever their layout and compression", arguments: forms, [0, 1, 3_000])
    func layouts(_ form: String, _ count: Int) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("backup_1_20261123_012903.json.gz")
        try Files.write(Array(Self.program.utf8), to: directory.file("elder.py"))
        try Shell.run(#"python3 "$1" "$2" "$3" "$4""#, directory.file("elder.py"), path, form, "\(count)")
        let collector = Collector()
        let archive = try ArchiveReader.open(path: path)
        #expect(archive.form == .plain)
        // 900 nested lists stand only where nobody looks at them.
        let findings = try archive.read(tables: nil, workers: 2, consumer: collector)
        #expect(findings.header.version == "1.2.0" && findings.header.jobID == 1)
        #expect(findings.header.jobName == "nightly")
        #expect(findings.header.timestamp?.iso8601 == "2026-11-23T01:29:03.696718+00:00")
        #expect(collector.tables.map(\.name) == ["entities", "empty", "odd \"name\"/é\n"])
        #expect(findings.tables.map(\.rows) == [Int64(count), 0, 1])
        for (index, row) in (collector.tables.first?.rows ?? []).enumerated() {
            let object = try JSONSerialization.jsonObject(with: Data(row)) as? [String: Any]
            guard object?["id"] as? Int == index, object?["name"] as? String == "Zoë \"\(index)\"",
                object?["cost"] as? String == "12.50", object?.count == 6
            else {
                Issue.record("row \(index) is \(String(decoding: row, as: UTF8.self))")
                break
            }
        }
        #expect(try Reading.some(["empty"], of: path).map(\.name) == ["empty"])
        #expect(throws: BackupError.self) { try Reading.some(["none"], of: path) }
    }

    @Test("a row over several buffers, and many small ones")
    func sizes() throws {
        let directory = try TemporaryDirectory()
        let large = #"{"a":""# + String(repeating: #"x\"]}"#, count: 1_000_000) + #""}"#
        let rows = [large] + Array(repeating: "{}", count: 300_000) + [large]
        let path = directory.file("large.json.gz")
        try Files.write(
            Gzip.member(Array((#"{"version":"1.2.0","tables":{"t":["# + rows.joined(separator: ", ") + "]}}").utf8)),
            to: path)
        let areEqual = try Reading.all(path) == [SampleTable("t", texts: rows)]
        #expect(areEqual)
    }

    static let broken: [(String, String)] = [
        (#"{"tables":{}}"#, "\"version\" is missing"), (#"{"version":"1.2.0"}"#, "\"tables\" is missing"),
        ("{}", "is missing: this is not a backup"), (#"{"version":1,"tables":{}}"#, "\"version\""),
        (#"{"version":"1.2.0","tables":[]}"#, "\"tables\" is not an object"),
        (
            #"{"version":"1.2.0","tables":{"t":{"error":"no such table: t"}}}"#,
            "it could not be read when it was made (no such table: t)"
        ),
        (#"{"version":"1.2.0","tables":{"t":7}}"#, "not a list of rows"),
        (#"{"version":"1.2.0","tables":{"t":[7]}}"#, "a row is not an object"),
        (#"{"version":"1.2.0","tables":{"t":[{"a":1},]}}"#, "a row is not an object"),
        (#"{"version":"1.2.0","tables":{"t":[{"a":1} {"a":1}]}}"#, "',' is missing"),
        (#"{"version":"1.2.0","tables":{"t":[{"a":}]}}"#, "not a JSON object"),
        (#"{"version":"1.2.0","tables":{"t":[{"a":[}]]}}"#, "not a JSON object"),
        (#"{"version":"1.2.0","tables":{"t":[],"t":[]}}"#, "the table \"t\" is there twice"),
        (#"{"version":"1.2.0","tables":{"t":[],"\u0074":[]}}"#, "the table \"t\" is there twice"),
        (#"{"version":"1.2.0","version":"1.2.0","tables":{}}"#, "the key \"version\" is there twice"),
        (#"{"version":"1.2.0","tables":{},"tables":{}}"#, "the key \"tables\" is there twice"),
        (#"{"version":"1.2.0","tables":{}} x"#, "something follows"),
        (#"{"version":"1.2.0","tables":{}}{}"#, "something follows"),
        (#"{"version":"1.2.0","x":,"tables":{}}"#, "a value is missing"),
        (#"{"version":"1.2.0","generator":{},"tables":{}}"#, "compressed anew"),
        (#"{"version":"1.2.0","tables":{"t":[{"a":"\#u{1}"}]}}"#, "not a JSON object"),
        (#"{"version" "1.2.0"}"#, "':' is missing"), ("{version:1}", "a string is missing"), ("{", "ends too early"),
        (#"{"version":"1.2.0","tables":{"t":[{"a":"#, "the text ends within a value"), ("[]", "neither gzip nor JSON"),
        ("hello", "neither gzip nor JSON"), ("", "the file is empty"), ("\u{FEFF}{}", "neither gzip nor JSON"),
    ]

    @Test("and what is not one is refused in clear words", arguments: broken)
    func refused(_ text: String, _ words: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("broken.json.gz")
        let bytes = Array(text.utf8)
        for (compressed, form) in [(bytes, "plain"), (Gzip.member(bytes), "gzip")] {
            // The first words of a file decide what it is; within gzip nothing is decided yet.
            if form == "gzip", words.hasPrefix("neither") || words == "the file is empty" { continue }
            try Files.write(compressed, to: path)
            let error = try Reading.failure(path)
            #expect(error?.code == .damaged, "\(form): \(error?.description ?? "was read")")
            #expect(error?.message.contains(words) == true, "\(form): \(error?.description ?? "was read")")
            #expect(error?.message.contains("\n") == false)
        }
    }

    @Test("bytes that are no text, values that JSON lacks")
    func values() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("values.json.gz")
        func failure(_ row: [UInt8]) throws -> BackupError? {
            try Files.write(Array(#"{"version":"1.2.0","tables":{"t":["#.utf8) + row + Array("]}}".utf8), to: path)
            return try Reading.failure(path)
        }
        #expect(try failure(Array(#"{"a":"é"}"#.utf8)) == nil)
        #expect(try failure(Array(#"{"a":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8))?.code == .damaged)
        #expect(try failure(Array(#"{"a":"\ud800"}"#.utf8))?.code == .damaged)
        // Python's `json` writes these; a restore takes them, so a check must.
        for word in ["NaN", "Infinity", "-Infinity"] {
            #expect(try failure(Array("{\"a\":\(word)}".utf8)) == nil)
        }
        #expect(try failure(Array(#"{"a":Nan}"#.utf8))?.code == .damaged)
    }

    @Test("a compressed one cut at any length, flipped at any byte, or with something behind")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("damaged.json.gz")
        let text =
            #"{"version":"1.2.0","timestamp":"2026-11-23T01:29:03.696718+00:00","tables":{"t":[{"a":1},{"a":"x"}]}}"#
        try Files.write(Array(text.utf8), to: directory.file("text"))
        try Shell.run(#"gzip -n < "$1" > "$2""#, directory.file("text"), path)
        let bytes = try Files.read(path)
        let rows = try Reading.all(path)
        for length in 0..<bytes.count {
            try Files.write(Array(bytes[..<length]), to: path)
            #expect(try Reading.failure(path)?.code == .damaged, "cut at \(length)")
        }
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0x55
            try Files.write(changed, to: path)
            // Flags, time and system in gzip's own header mean nothing; everything else is guarded by its CRC-32.
            if let error = try Reading.failure(path) {
                #expect(error.code == .damaged)
            } else {
                #expect((3..<10).contains(place), "byte \(place)")
                #expect(try Reading.all(path) == rows)
            }
        }
        for garbage in [[0], [0x1F], [0x1F, 0x8B, 0, 0], Array("x".utf8)] as [[UInt8]] {
            try Files.write(bytes + garbage, to: path)
            #expect(try Reading.failure(path)?.code == .damaged, "\(garbage) behind")
        }
    }

    @Test("what is not a file")
    func notFiles() throws {
        let directory = try TemporaryDirectory()
        #expect(try Reading.failure(directory.path)?.code == .storage)
        #expect(try Reading.failure(directory.file("none"))?.code == .notFound)
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        #expect(try Reading.failure(directory.file("pipe"))?.code == .storage)
    }
}
