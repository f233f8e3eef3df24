import Foundation
import TestSupport

extension RandomValues {
    /// How a value of each built-in type is written.
    static let texts: [String: @Sendable (inout Generator) -> String] = numbers.merging(times) { first, _ in first }
        .merging(documents) { first, _ in first }.merging(others) { first, _ in first }
        .merging(
            [
                "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange", "int4multirange",
                "datemultirange", "tstzmultirange",
            ].map { ($0, words) }
        ) { first, _ in first }

    /// Text with everything that somebody may have to escape.
    static let words: @Sendable (inout Generator) -> String = { random in
        let alphabet = [
            "a", "Z", "0", " ", "\"", "\\", "\n", "\t", "\r", "\u{8}", "\u{B}", "\u{C}", "\u{1}", "\u{1F}", "\u{7F}",
            "é",
            "e\u{301}", "€", "😀", "{", "}", ",", "(", "'", "\\N", "\\.", "NULL", "null", "\u{85}", "\u{2028}",
            "\u{FEFF}",
        ]
        let length = random.chance(1, in: 12) ? 3000 : Int.random(in: 0...12, using: &random)
        return (0..<length).map { _ in pick(alphabet, &random) }.joined()
    }

    private static func digits(_ count: Int, _ random: inout Generator) -> String {
        (0..<count).map { _ in "\(Int.random(in: 0...9, using: &random))" }.joined()
    }

    private static func hexadecimal(_ count: Int, _ random: inout Generator) -> String {
        random.bytes(count).map { String(format: "%02x", $0) }.joined()
    }

    // MARK: Numbers

    private static let numbers: [String: @Sendable (inout Generator) -> String] = [
        "smallint": { "\(pick([Int16.min, .max, 0, -1, .random(in: .min ... .max, using: &$0)], &$0))" },
        "integer": { "\(pick([Int32.min, .max, 0, -1, .random(in: .min ... .max, using: &$0)], &$0))" },
        "bigint": { "\(pick([Int64.min, .max, 0, -1, .random(in: .min ... .max, using: &$0)], &$0))" },
        "oid": { "\(pick([UInt32.max, 0, .random(in: .min ... .max, using: &$0)], &$0))" },
        "real": { random in
            let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
            return pick(["NaN", "Infinity", "-Infinity", "-0", "1e-45", value.isFinite ? "\(value)" : "0"], &random)
        },
        "double precision": { random in
            let value = Double(bitPattern: random.next())
            return pick(["NaN", "Infinity", "-Infinity", "-0", "5e-324", value.isFinite ? "\(value)" : "0"], &random)
        },
        "numeric": { random in
            let whole = digits(Int.random(in: 1...50, using: &random), &random)
            let fraction = digits(Int.random(in: 1...40, using: &random), &random)
            return pick(["NaN", "0.000", "-0.10", whole, "-\(whole).\(fraction)", "0.\(fraction)00"], &random)
        },
        "numeric(12,3)": { "\(Int.random(in: -99_999_999...99_999_999, using: &$0)).\(digits(3, &$0))" },
        "money": { "\(Int.random(in: -99_999_999...99_999_999, using: &$0)).\(digits(2, &$0))" },
        "boolean": { pick(["t", "f"], &$0) },
        "bit(7)": { random in (0..<7).map { _ in pick(["0", "1"], &random) }.joined() },
        "bit varying": { random in
            (0..<Int.random(in: 0...70, using: &random)).map { _ in pick(["0", "1"], &random) }.joined()
        },
        "pg_lsn": { "\(hexadecimal(4, &$0))/\(hexadecimal(4, &$0))".uppercased() },
        "xid8": { "\($0.next())" },
    ]

    // MARK: Times

    private static func date(_ random: inout Generator) -> String {
        let year = pick([1, 44, 1582, 1970, 2000, 2024, 9999, 99_999, 294_275], &random)
        let (month, day) = (Int.random(in: 1...12, using: &random), Int.random(in: 1...28, using: &random))
        return String(format: "%04d-%02d-%02d", year, month, day)
    }

    private static func clock(_ random: inout Generator) -> String {
        let parts = [23, 59, 59].map { Int.random(in: 0...$0, using: &random) }
        return String(format: "%02d:%02d:%02d.", parts[0], parts[1], parts[2])
            + digits(Int.random(in: 1...6, using: &random), &random)
    }

    private static func moment(_ zone: String, _ random: inout Generator) -> String {
        let year = random.chance(1, in: 5)
        let (date, clock) = (year ? "0044-03-15" : date(&random), clock(&random))
        return pick(["infinity", "-infinity", "\(date) \(clock)\(zone)\(year ? " BC" : "")"], &random)
    }

    private static let times: [String: @Sendable (inout Generator) -> String] = [
        "date": { pick(["infinity", "-infinity", "4713-01-01 BC", "5874897-12-30", date(&$0)], &$0) },
        "time": { pick(["24:00:00", "00:00:00", clock(&$0)], &$0) },
        "time(2) with time zone": { clock(&$0) + pick(["+15:59", "-12:30:15", "+00"], &$0) },
        "timestamp": { moment("", &$0) },
        "timestamp(3)": { moment("", &$0) },
        "timestamptz": { moment(pick(["+00", "-11:30", "+14"], &$0), &$0) },
        "interval": { random in
            let parts = (0..<4).map { _ in Int.random(in: -500...500, using: &random) }
            return pick(
                [
                    "0", "178000000 years", "-1 mon +1 day -00:00:00.000001",
                    "\(parts[0]) years \(parts[1]) mons \(parts[2]) days \(parts[3]) seconds",
                ], &random)
        },
        "interval day to second(3)": { "\(Int.random(in: -99...99, using: &$0)) days \(clock(&$0))" },
    ]

    // MARK: Documents

    /// JSON with the white space that only `json` keeps.
    private static func json(_ random: inout Generator, depth: Int) -> String {
        let space = pick(["", "", " ", "\n", "\t "], &random)
        if depth == 0 || random.chance(1, in: 3) {
            return space
                + pick(
                    [
                        "null", "true", "1", "-0.0", "1e400", "12345678901234567890.5", "\"\"", "\"a\\u00e9\\n\\\"\"",
                        "\"😀\\ud83d\\ude00\"", "{}", "[]", "{\"$integer\": \"5\"}", "{\"$x\":\"\"}",
                    ], &random)
        }
        let items = (0..<Int.random(in: 0...3, using: &random)).map { _ in json(&random, depth: depth - 1) }
        if random.chance(1, in: 2) { return "\(space)[\(items.joined(separator: ","))\(space)]" }
        let keys = ["a", "b", "a", "", "é"]
        let pairs = zip(keys, items).map { "\"\($0)\"\(space):\($1)" }
        return "\(space){\(pairs.joined(separator: ","))}\(space)"
    }

    private static let documents: [String: @Sendable (inout Generator) -> String] = [
        "json": { random in
            pick(
                [
                    "null", " 1 ", "\"\\ud800\"",
                    String(repeating: "[", count: 120) + String(repeating: "]", count: 120),
                    json(&random, depth: 4),
                ], &random)
        },
        "jsonb": { json(&$0, depth: 4) },
        "jsonpath": { pick(["$", "$.a[*] ? (@ > 1)", "strict $.\"é\""], &$0) },
        "xml": {
            pick(
                ["<a>&lt;é</a>", "", "text only", "<?xml version=\"1.0\"?><a b='c'/>", "<a>\n <![CDATA[x]]></a>"], &$0)
        },
        "tsvector": { pick(["", "a:1 fat:2A,3B cat", "'it''s' 'x y':16383"], &$0) },
        "tsquery": { pick(["", "fat & !rat | 'it''s'", "a <-> b:*A"], &$0) },
    ]

    /// Of extensions.
    static let extensionTexts: [String: @Sendable (inout Generator) -> String] = [
        "hstore": { pick(["", "a=>1, \"b c\"=>NULL", "\"q\\\"\"=>\"\\\\\", \"\"=>\"é\""], &$0) },
        "citext": words,
        "ltree": { pick(["", "Top", "Top.Science.Astronomy"], &$0) },
        "lquery": { pick(["*", "*.foo|bar.*{1,2}"], &$0) },
    ]

    // MARK: Others

    private static func point(_ random: inout Generator) -> String {
        "(\(Double.random(in: -1e9...1e9, using: &random)),\(pick(["0", "-0", "1e-300", "Infinity"], &random)))"
    }

    private static let others: [String: @Sendable (inout Generator) -> String] = [
        "text": words, "varchar": words, "character varying(3000)": words,
        "char(3)": { pick(["", "a", "é ", "\\N "], &$0) },
        "\"char\"": { pick(["", "a", "\\", "\n", "\u{1}", "\""], &$0) },
        "name": { pick(["", "a b", "Ünï", "\"q\""], &$0) },
        "bytea": { "\\x" + hexadecimal(Int.random(in: 0...40, using: &$0), &$0) },
        "uuid": { hexadecimal(16, &$0) },
        "inet": { pick(["::1/64", "10.1.2.3", "0.0.0.0/0", "2001:db8::ff00:42:8329"], &$0) },
        "cidr": { pick(["10.0.0.0/8", "::/0", "192.168.1.0/24"], &$0) },
        "macaddr": { hexadecimal(6, &$0) }, "macaddr8": { hexadecimal(8, &$0) },
        "point": point, "box": { "\(point(&$0)),\(point(&$0))" }, "lseg": { "[\(point(&$0)),\(point(&$0))]" },
        "line": { "{\(Int.random(in: 1...9, using: &$0)),-2.5,0.1}" },
        "path": { pick(["[(0,0),(1,1)]", "((0,0),\(point(&$0)))"], &$0) },
        "polygon": { "((0,0),(1,0),\(point(&$0)))" },
        "circle": { "<\(point(&$0)),\(Int.random(in: 0...9, using: &$0))>" },
        "regtype": { pick(["integer", "mood", "pg_catalog.text[]"], &$0) },
        "pg_snapshot": { pick(["10:20:10,14,15", "1:1:"], &$0) },
    ]
}
