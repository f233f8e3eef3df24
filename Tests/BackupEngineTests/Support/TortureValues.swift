/// Values at every edge that a storage class or the archive's encodings have.
enum TortureValues {
    static let declaredTypes = [
        "", "INTEGER", "INT", "BIGINT", "TINYINT", "UNSIGNED BIG INT", "REAL", "DOUBLE PRECISION", "FLOAT", "NUMERIC",
        "DECIMAL(10,2)", "TEXT", "VARCHAR(10)", "CHAR(1)", "CLOB", "BLOB", "VARBINARY(8)", "BOOLEAN", "BOOL", "JSON",
        "JSONB", "DATE", "DATETIME", "TIMESTAMP", "UUID", "STRING", "ANY", "FLOATING POINT", "none of the above",
    ]

    static let integers: [Int64] = [
        0, 1, -1, 2, 9, 10, 127, 128, -128, -129, 32767, 32768, 8_388_607, 8_388_608, -8_388_609, 2_147_483_647,
        2_147_483_648, -2_147_483_649, 140_737_488_355_327, 140_737_488_355_328, 9_007_199_254_740_991,
        9_007_199_254_740_993, -9_007_199_254_740_993, .max, .max - 1, .min, .min + 1,
    ]

    static let reals: [Double] = [
        0.0, -0.0, 0.1, -0.1, 1.0, -1.0, 1.5, 1 / 3, 100, 1e15, 1e16, 1e21, 1e22, 1e23, 123_456_789.123_456_79,
        4_503_599_627_370_497.5, 9_007_199_254_740_992, 9_223_372_036_854_775_808, -9_223_372_036_854_775_808,
        1.844_674_407_370_955_2e19, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
        .leastNormalMagnitude, .leastNormalMagnitude.nextDown, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
        Double(bitPattern: 3), Double(bitPattern: 0x000F_FFFF_FFFF_FFFE), 8.41e21, 9_007_199_254_740_994, .pi,
    ]

    static let strings = [
        "", " ", "a", "Ω", "naïve café", "日本語", "😀👩‍👩‍👧", "\u{0}", "a\u{0}b", "\u{0}\u{0}", "ends with NUL\u{0}", "'", "\"",
        "\\", "\\u0000", "/", "</script>", "\n", "\r\n", "\t", "line\nbreak", "\u{1}\u{2}\u{1F}\u{7F}\u{80}\u{9F}",
        "\u{2028}\u{2029}", "\u{FEFF}", "\u{FEFF}bom", "\u{FFFD}", "\u{10FFFF}", "\u{FFFF}", "\u{FFFE}", "e\u{301}",
        "12", " 12",
        "-0", "1e5", "0x10", "9223372036854775808", "0.1", "Infinity", "-Infinity", "NaN", "null", "true", "T", "F",
        "2026-01-31 12:00:00.123456", "{\"$text\":\"YQ==\"}", "$rowid", "YWJj", "==",
        "1234567890123456789012345678901234",
    ]

    /// Not UTF-8: alone, within, at the end, too long, surrogates, above what Unicode has.
    static let invalidUTF8: [[UInt8]] = [
        [0xFF], [0x80], [0xC0, 0x80], [0xC3], [0x61, 0xC3], [0x61, 0xFF, 0x62], [0xED, 0xA0, 0x80], [0xED, 0xB0, 0x80],
        [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0x00, 0xFF, 0x00],
    ]

    /// Little-endian: surrogates alone, in the wrong order, and what SQLite itself replaces.
    static let invalidUTF16: [[UInt8]] = [
        [0x00, 0xD8], [0x00, 0xDC], [0x61, 0x00, 0x3D, 0xD8], [0x00, 0xDE, 0x3D, 0xD8], [0x3D, 0xD8, 0x61, 0x00],
        [0x3D, 0xD8, 0x3D, 0xD8, 0x00, 0xDE], [0xFE, 0xFF], [0xFF, 0xFF], [0xFF, 0xFE], [0x00, 0x00, 0x00, 0xD8],
    ]

    /// As a JSON column may hold them: each is plain text to SQLite.
    static let jsonTexts: [String] = {
        let nested = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let objects = { (depth: Int) in
            String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        }
        return [
            "{}", "[]", "{\"a\":1}", "{\"a\": 1, \"b\" : [1,2 ,3]}", "[1,null,true,false]", "null", " null", "true",
            "false",
            "0", "-0", "1.0", "1e400", "-1E-400", "123456789012345678901234567890", "0.10", "1.", "01", "\"text\"",
            "\"\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "{\"a\":\"\\udc00\"}", "\"\\u0000\"", "\"\\/\"", "\"é\"",
            " {\"a\":1}", "{\"a\":1} ", "\t[]", "{\"a\":\n1}", "{\"a\":\r1}", "{\"a\":\t1}", "{\"a\":1,\"a\":2}",
            "{\"$text\":\"x\"}", "{\"$bytes\":\"AA==\"}", "{\"$real\":\"1\"}", "{\"$json\":\"1\"}",
            "{\"$a\":1,\"b\":2}", "{\"$\":1}",
            "{\"\\u0024text\":\"x\"}", "{ \"$text\" : \"x\" }", "{\"a\":{\"$text\":\"x\"}}", "[{\"$text\":\"x\"}]",
            nested(100),
            nested(101), nested(300), objects(100), objects(101), "", "nope", "{\"a\":}", "[1,]", "'x'", "NaN", "{a:1}",
            "[\"\u{1}\"]", "{\"\":\"\"}", "{\"a\\u0000b\":1}", "\"\u{2028}\"", "nulL", "n", "[0,-0.0]",
            "{\"$rowid\":1}",
        ]
    }()

    /// All of them, for a column that may hold anything.
    static func all(utf16: Bool) -> [SQLValue] {
        var values: [SQLValue] = [.null]
        values += integers.map { .integer($0) } + reals.map { .real($0) }
        values += strings.map { text($0, utf16: utf16) }
        values += (utf16 ? invalidUTF16 : invalidUTF8).map { .text($0) }
        values += [[], [0], [0xFF], Array(0...255), [0x7B, 0x7D], Array("text".utf8)].map { .blob($0) }
        return values
    }

    static func text(_ string: String, utf16: Bool) -> SQLValue {
        guard utf16 else { return .text(string) }
        return .text(string.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
    }
}
