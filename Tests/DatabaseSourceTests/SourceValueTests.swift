import BackupCore
import DatabaseSource
import Foundation
import TestSupport
import Testing

@Suite struct SourceValueTests {
    struct Case: Sendable {
        var sql: String
        var value: String
        var boolean: String
        var json: String
        var bytes: String

        init(_ sql: String, _ value: String, boolean: String? = nil, json: String? = nil, bytes: String? = nil) {
            self.sql = sql
            self.value = value
            self.boolean = boolean ?? value
            self.json = json ?? value
            self.bytes = bytes ?? value
        }

        static func text(_ sql: String, _ inside: String) -> Case {
            let tagged = "{\"$string\":\"\(inside)\"}"
            return Case(sql, "\"\(inside)\"", json: tagged, bytes: tagged)
        }
    }

    static let cases: [Case] = [
        Case("NULL", "null"),
        Case("0", "0", boolean: "false", json: "{\"$integer\":\"0\"}"),
        Case("1", "1", boolean: "true", json: "{\"$integer\":\"1\"}"),
        Case("-1", "-1", json: "{\"$integer\":\"-1\"}"),
        Case("1234567890", "1234567890", json: "{\"$integer\":\"1234567890\"}"),
        Case("9223372036854775807", "9223372036854775807", json: "{\"$integer\":\"9223372036854775807\"}"),
        Case("-9223372036854775808", "-9223372036854775808", json: "{\"$integer\":\"-9223372036854775808\"}"),
        Case("2.5", "2.5", json: "{\"$real\":\"2.5\"}"),
        Case("1e300", "1e+300", json: "{\"$real\":\"1e+300\"}"),
        Case("9e999", "{\"$real\":\"Infinity\"}"),
        Case("-9e999", "{\"$real\":\"-Infinity\"}"),
        .text("''", ""),
        .text("'plain'", "plain"),
        .text("'exactly8'", "exactly8"),
        .text("'a' || char(34, 92, 8, 9, 10, 12, 13, 0, 31, 127) || 'ä€😀'", #"a\"\\\b\t\n\f\r\u0000\u001f\#u{7F}ä€😀"#),
        Case("CAST(x'80ff' AS TEXT)", "{\"$text\":\"gP8=\"}"),
        Case("CAST(x'eda080' AS TEXT)", "{\"$text\":\"7aCA\"}"),
        Case("'12345678' || CAST(x'c0' AS TEXT)", "{\"$text\":\"MTIzNDU2NzjA\"}"),
        Case("x''", "{\"$bytes\":\"\"}", bytes: "\"\""),
        Case("x'00'", "{\"$bytes\":\"AA==\"}", bytes: "\"AA==\""),
        Case("x'000102ff'", "{\"$bytes\":\"AAEC/w==\"}", bytes: "\"AAEC/w==\""),
        Case("x'fbefbe'", "{\"$bytes\":\"++++\"}", bytes: "\"++++\""),
    ]

    @Test(arguments: cases) func everyKindOfValueInEveryEncoding(_ value: Case) throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE v (id INTEGER PRIMARY KEY, a, b BOOLEAN, j JSON, x LONGBLOB);
            INSERT INTO v VALUES (1, \(value.sql), \(value.sql), \(value.sql), \(value.sql));
            """)
        let expected =
            "{\"id\":1,\"a\":\(value.value),\"b\":\(value.boolean),\"j\":\(value.json),\"x\":\(value.bytes)}"
        #expect(try fixture.rows(of: "v") == [expected])
    }

    @Test func negativeZeroAndWholeNumbersStayReal() throws {
        let fixture = try SourceFixture(
            "CREATE TABLE v (a, b BLOB, r REAL); INSERT INTO v VALUES (-0.0, -0.0, 3), (3.0, 1e22, 1e22)")
        #expect(
            try fixture.rows(of: "v") == [
                #"{"$rowid":1,"a":-0.0,"b":-0.0,"r":3.0}"#, #"{"$rowid":2,"a":3.0,"b":1e+22,"r":1e+22}"#,
            ])
    }

    static let deep100 = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)

    @Test(arguments: [
        #"{"a":1}"#, #"[1, 2.50, 1e5]"#, #""text""#, "true", #"{"$a":1,"b":2}"#, #"{"a":{"$bytes":"x"}}"#, "{}",
        #"["\ud83d\ude00"]"#, #"{ "a" : 1 }"#, #"{"ä":"😀"}"#, deep100,
    ])
    func safeJSONStaysByteForByte(_ text: String) throws {
        let fixture = try SourceFixture("CREATE TABLE v (j JSON); INSERT INTO v VALUES ('\(text)')")
        #expect(try fixture.rows(of: "v") == ["{\"$rowid\":1,\"j\":\(text)}"])
    }

    @Test(arguments: [
        #" {"a":1}"#, "[1] ", "[1,\n2]", "[1,\r2]", "null", #"{"$a":1}"#, #"{ "$a" : [1] }"#, #"{"\u0024a":1}"#,
        #"["\ud800"]"#, #"["\udc00"]"#, "[" + deep100 + "]", "{", "[01]", "[NaN]", "[1]x", "tru", "",
    ])
    func unsafeJSONIsKeptAsText(_ text: String) throws {
        let fixture = try SourceFixture("CREATE TABLE v (j jsonb); INSERT INTO v VALUES ('\(text)')")
        let row = try #require(try fixture.rows(of: "v").first)
        let object = try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any]
        #expect((object?["j"] as? [String: String]) == ["$string": text])
    }

    /// Any bytes come back: short and long, through the assumed and through the measured bound.
    @Test(arguments: [UInt64(1), 2, 3]) func randomBytesComeBack(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pieces: [[UInt8]] = [
            Array("plain text ".utf8), Array("ä".utf8), Array("€😀".utf8), [0x22], [0x5C], [0x0A], [0x00], [0x1F],
            [0x7F],
            [0x80], [0xC3], [0xF4, 0x90],
        ]
        let fixture = try SourceFixture()
        let writer = try SourceFixture.Writer(fixture.path)
        try writer.run("CREATE TABLE v (id INTEGER PRIMARY KEY, t, b); BEGIN")
        var values: [[UInt8]] = []
        for id in 0..<150 {
            let isValid = Bool.random(using: &random)
            let length = id % 30 == 29 ? Int.random(in: 20_000...120_000, using: &random) : id
            var value: [UInt8] = []
            while value.count < length {
                value += pieces[Int.random(in: 0..<(isValid ? 9 : pieces.count), using: &random)]
            }
            values.append(value)
            let hex = value.map { String(format: "%02x", $0) }.joined()
            try writer.run("INSERT INTO v VALUES (\(id), CAST(x'\(hex)' AS TEXT), x'\(hex)')")
        }
        try writer.run("COMMIT")
        let rows = try fixture.rows(of: "v")
        #expect(rows.count == values.count)
        for (row, value) in zip(rows, values) {
            let object = try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any]
            #expect((object?["b"] as? [String: String])?["$bytes"] == Data(value).base64EncodedString())
            if let text = String(validating: value, as: UTF8.self) {
                #expect((object?["t"] as? String).map { Array($0.utf8) } == Array(text.utf8))
            } else {
                #expect((object?["t"] as? [String: String])?["$text"] == Data(value).base64EncodedString())
            }
        }
    }

    @Test(arguments: ["UTF-16le", "UTF-16be"]) func textOfUTF16DatabasesSurvives(_ encoding: String) throws {
        let isLittle = encoding == "UTF-16le"
        let fixture = try SourceFixture(
            """
            PRAGMA encoding='\(encoding)';
            CREATE TABLE v (id INTEGER PRIMARY KEY, "tä" TEXT, j JSON);
            INSERT INTO v VALUES (1, 'ä😀' || char(10), '{"a":"ä"}');
            INSERT INTO v VALUES (2, CAST(x'\(isLittle ? "00D8" : "D800")' AS TEXT), '');
            INSERT INTO v VALUES (3, CAST(x'\(isLittle ? "00DC4100" : "DC000041")' AS TEXT), NULL);
            INSERT INTO v VALUES (4, CAST(x'FFFF' AS TEXT), NULL);
            """)
        let snapshot = try fixture.snapshot()
        #expect(
            try SourceFixture.rows(of: "v", in: snapshot) == [
                #"{"id":1,"tä":"ä😀\n","j":{"a":"ä"}}"#, #"{"id":2,"tä":{"$text":"ANg="},"j":{"$string":""}}"#,
                #"{"id":3,"tä":{"$text":"ANxBAA=="},"j":null}"#, #"{"id":4,"tä":{"$text":"//8="},"j":null}"#,
            ])
        #expect(String(decoding: snapshot.schema.definitions, as: UTF8.self).contains("\"encoding\":\"\(encoding)\""))
    }

    @Test func secretsAreNull() throws {
        let fixture = try SourceFixture("CREATE TABLE u (name, password); INSERT INTO u VALUES ('a', 'b')")
        let options: (inout SnapshotOptions) -> Void = { $0.secretColumns = ["u": ["password"]] }
        #expect(try fixture.rows(of: "u", options) == [#"{"$rowid":1,"name":"a","password":null}"#])
        #expect(try fixture.snapshot(options).schema.ledger[0].reason?.contains("password") == true)
    }
}
