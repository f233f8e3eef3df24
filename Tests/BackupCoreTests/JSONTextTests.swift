import BackupCore
import Foundation
import TestSupport
import Testing

/// Reads one value with white space around it and nothing behind; nil when well-formed, else the place of the fault.
private func fault(_ bytes: [UInt8], depth: Int = 200, leniency: JSONText.Leniency = []) -> Int? {
    bytes.withUnsafeBufferPointer { buffer in
        guard let text = buffer.baseAddress else { return 0 }
        let start = JSONText.skipWhitespace(text, 0, buffer.count)
        let result = JSONText.skipValue(text, start, buffer.count, depth: depth, leniency: leniency)
        if result < 0 { return JSONText.failurePosition(result) }
        let end = JSONText.skipWhitespace(text, result, buffer.count)
        return end == buffer.count ? nil : end
    }
}

private func fault(_ text: String, depth: Int = 200, leniency: JSONText.Leniency = []) -> Int? {
    fault(Array(text.utf8), depth: depth, leniency: leniency)
}

@Suite struct JSONTextTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "1", "-1", "10", "1.0", "1.25", "0.5", "-0.5", "1e1", "1E1", "1e+1",
        "1e-1", "1.5e10", "0e0", "0E+1", "123456789012345678901234567890", "1e400", "\"\"", "\"a\"", "\" \"",
        "\"\\\"\"", "\"\\\\\"", "\"\\/\"", "\"\\b\\f\\n\\r\\t\"", "\"\\u0000\"", "\"\\u00e9\"", "\"\\uABCD\"",
        "\"\\uabcd\"", "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00x\"", "\"\\uDBFF\\uDFFF\"", "\"é\"", "\"漢字\"",
        "\"😀\"", "\"\u{7F}\"", "\"\u{2028}\"", "\"\u{FFFF}\"", "\"\u{10FFFF}\"", "[]", "[ ]", "[1]", "[1,2]",
        "[ 1 , 2 ]", "[[]]", "[[],[]]", "[null]", "{}", "{ }", "{\"a\":1}", "{ \"a\" : 1 , \"b\" : [ ] }",
        "{\"a\":{\"b\":{}}}", "{\"a\":1,\"a\":2}", "{\"\":0}", " 1", "1 ", "\t\r\n 1 \n", "[\n1\n]",
        "\"abcdefgh\"", "\"abcdefghi\\n12345678\"", "\"1234567é1234567漢123456😀\"",
    ])
    func acceptsWellFormed(_ text: String) {
        #expect(fault(text) == nil)
    }

    @Test(arguments: [
        "", " ", "nul", "nulL", "True", "tru", "fals", "-", "+1", "01", "-01", "1.", ".1", "1.e1", "1e", "1e+", "1E-",
        "0x1", "1a", "1 2", "--1", "1.2.3", "1e1.5", "٣", "NaN", "Infinity", "-Infinity", "\"", "\"a", "\"\\\"",
        "\"\\", "\"\\x\"", "\"\\u\"", "\"\\u1\"", "\"\\u12\"", "\"\\u123\"", "\"\\u123g\"", "\"\\U0041\"",
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"\\ud800\\ud800\"", "\"\\ude00\\ud83d\"",
        "\"\\ud83d\\u\"", "\"\\ud83d\\ude0\"", "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1F}\"", "\"abcdefg\u{1}\"",
        "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1,,2]", "[}", "{", "}", "{]", "{\"a\"",
        "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}", "{\"a\",1}", "{a:1}", "{1:1}", "{'a':1}",
        "{\"a\":1 \"b\":2}", "{,}", "{\"a\":}", "{:1}", "[] []", "{}{}", "\u{FEFF}1", "\u{A0}1", "1\u{B}", "/**/1",
        "1//",
        "[1]x", "\"a\"b", "[\"a\nb\"]", "{\"a\u{2}\":1}",
    ])
    func refusesMalformed(_ text: String) {
        #expect(fault(text) != nil)
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x9F, 0x98], [0xF0, 0x9F, 0x28, 0x80], [0xF0, 0x9F, 0x98, 0x28], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func refusesInvalidUTF8(_ sequence: [UInt8]) {
        // At every distance from the start, so that both the eight-byte and the single-byte loops meet it.
        for padding in 0..<18 {
            let plain = [UInt8](repeating: UInt8(ascii: "x"), count: padding)
            #expect(fault([0x22] + plain + sequence + [0x22]) != nil)
            #expect(fault([0x22] + plain + sequence + plain + [0x22]) == padding + 1)
        }
    }

    @Test func everyScalarPassesAndIsPlainOnlyIfPlain() {
        for value in UInt32(0x20)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else { continue }
            let bytes = [0x22] + Array(String(scalar).utf8) + [0x22]
            #expect(fault(bytes) == nil)
        }
        for byte in UInt8.min...UInt8.max {
            let expected = byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
            #expect(JSONText.isPlain(byte) == expected)
            let word = UInt64(byte) | 0x6161_6161_6161_6100
            #expect((JSONText.specialBytes(in: word) & 0x80 != 0) == !expected)
        }
    }

    @Test func depthIsLimited() {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        #expect(fault(nested(100, "[", "]"), depth: 100) == nil)
        #expect(fault(nested(101, "[", "]"), depth: 100) != nil)
        #expect(fault(nested(100, "{\"a\":", "}"), depth: 100) == nil)
        #expect(fault(nested(101, "{\"a\":", "}"), depth: 100) != nil)
        #expect(fault("1", depth: 0) == nil)
        #expect(fault("[]", depth: 0) != nil)
        #expect(fault(String(repeating: "[", count: 100_000), depth: 100) == 100)
    }

    @Test func nonFiniteNumbersPassOnlyWhenAllowed() {
        for text in ["NaN", "Infinity", "-Infinity", "[NaN,1,-Infinity]", "{\"a\":Infinity}"] {
            #expect(fault(text) != nil)
            #expect(fault(text, leniency: .nonFiniteNumbers) == nil)
        }
        for text in ["nan", "-NaN", "+Infinity", "Inf", "Infinit", "- Infinity"] {
            #expect(fault(text, leniency: .nonFiniteNumbers) != nil)
        }
    }

    @Test func nothingBehindTheEndIsRead() {
        // The end given lies inside well-formed text: every cut must be refused, whatever follows in memory.
        let whole = Array("{\"a\":[1.5e+3,\"\\ud83d\\ude00é\",true,null],\"b\":{}}".utf8)
        whole.withUnsafeBufferPointer { buffer in
            guard let text = buffer.baseAddress else { return }
            for end in 0..<buffer.count {
                #expect(JSONText.skipValue(text, 0, end, depth: 10) < 0)
            }
            #expect(JSONText.skipValue(text, 0, buffer.count, depth: 10) == buffer.count)
        }
    }

    /// What Foundation accepts beyond or short of RFC 8259 is left out by what the generator makes.
    @Test(arguments: 0..<20) func agreesWithFoundationOnMutatedDocuments(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var refused = 0
        for _ in 0..<300 {
            var bytes = Array(document(depth: 4, &generator).utf8)
            #expect(fault(bytes) == nil)
            let alphabet = Array("{}[],:\"\\/truefalsn0123456789.-+eE ux".utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = alphabet.randomElement(using: &generator) ?? 0x20
                case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0x20, at: index)
                default: if bytes.count > 1 { bytes.remove(at: index) }
                }
            }
            let place = fault(bytes)
            let accepted = place == nil
            if !accepted { refused += 1 }
            let text = String(decoding: bytes, as: UTF8.self)
            // Foundation refuses numbers that a Double cannot hold, and duplicate keys differ; both are grammatical.
            let foundation = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            if accepted, foundation == nil, text.contains(where: { $0 == "e" || $0 == "E" }) { continue }
            // Foundation lets a comma stand before a closing bracket.
            if let place, place < bytes.count, [0x5D, 0x7D].contains(bytes[place]) { continue }
            #expect(accepted == (foundation != nil), "\(text)")
        }
        #expect(refused > 50)
    }

    private func document(depth: Int, _ generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
        case 0: return ["null", "true", "false"].randomElement(using: &generator) ?? "null"
        case 1: return String(Int64.random(in: -1_000_000...1_000_000, using: &generator))
        case 2: return "\(Int.random(in: 0..<1000, using: &generator)).\(Int.random(in: 0..<1000, using: &generator))"
        case 3: return "\"\(Int.random(in: 0..<1_000_000, using: &generator)) \\n\\u00e9 é漢😀\""
        case 4: return "\"\\ud83d\\ude00 plain text longer than a word\""
        case 5, 6:
            let items = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in
                document(depth: depth - 1, &generator)
            }
            return "[" + items.joined(separator: " , ") + "]"
        default:
            let items = (0..<Int.random(in: 0..<4, using: &generator)).map { index in
                "\"key\(index)\": " + document(depth: depth - 1, &generator)
            }
            return "{" + items.joined(separator: ",") + "}"
        }
    }
}
