import DatabaseSource
import Foundation
import TestSupport
import Testing

@Suite("A row of COPY as JSON")
struct CopyTextEncoderTests {
    typealias Form = CopyTextEncoder.Form

    /// The text of a row whose columns are called a, b, c, …; nil where it is refused.
    static func encode(_ row: [UInt8], _ forms: [Form]) -> String? {
        let names = forms.indices.map { String(UnicodeScalar(UInt8(97 + $0 % 26))) + ($0 < 26 ? "" : "\($0)") }
        let encoder = CopyTextEncoder(keys: zip(names, forms).map { ($0, $1) })
        // Whatever stands behind a row, its end as well as its beginning, decides nothing.
        let bytes = row + Array("\\\"\n\t".utf8) + [UInt8](repeating: 0xFF, count: CopyTextEncoder.slack)
        return bytes.withUnsafeBufferPointer { input -> String? in
            guard let start = input.baseAddress else { return nil }
            let bound = encoder.bound(start, row.count)
            var output = [UInt8](repeating: 0xAA, count: bound + 64)
            let length = output.withUnsafeMutableBufferPointer { out -> Int in
                out.baseAddress.map { encoder.write(start, row.count, to: $0) } ?? -1
            }
            guard length >= 0 else { return nil }
            #expect(length <= bound, "the bound \(bound) is too small for \(length)")
            #expect(output[(bound + 16)...].allSatisfy { $0 == 0xAA }, "written beyond the bound and its slack")
            return String(decoding: output[..<length], as: UTF8.self)
        }
    }

    static func encode(_ row: String, _ forms: Form...) -> String? { encode(Array(row.utf8), forms) }

    @Test(
        "Each kind of value has its form",
        arguments: [
            ("42\n", Form.number, "42"), ("-9223372036854775808\n", .number, "-9223372036854775808"),
            ("\\N\n", .number, "null"), ("\\N\n", .text, "null"), ("\\N\n", .bytes, "null"), ("\\N\n", .json, "null"),
            ("\\\\N\n", .text, #""\\N""#), ("1e+15\n", .real, "1e+15"), ("-0\n", .real, "-0.0"),
            ("-0.5\n", .real, "-0.5"),
            ("NaN\n", .real, #"{"$real":"NaN"}"#), ("-Infinity\n", .real, #"{"$real":"-Infinity"}"#),
            ("Infinity\n", .real, #"{"$real":"Infinity"}"#), ("t\n", .boolean, "true"), ("f\n", .boolean, "false"),
            ("\n", .text, #""""#), ("a\\tb\\nc\\rd\\be\\ff\\vg\\\\h\"i\n", .text, #""a\tb\nc\rd\be\ff\u000bg\\h\"i""#),
            ("\u{1}\u{1F}\u{7F}é€😀\n", .text, "\"\\u0001\\u001f\u{7F}é€😀\""),
            ("12345678901234567890.000\n", .text, #""12345678901234567890.000""#),
            ("\\\\x\n", .bytes, #""""#), ("\\\\x00\n", .bytes, #""AA==""#), ("\\\\xdeadbeef\n", .bytes, #""3q2+7w==""#),
            ("\\\\x000102030405\n", .bytes, #""AAECAwQF""#),
            ("{\"a\": [1, null]}\n", .json, #"{"a": [1, null]}"#), ("null\n", .json, #"{"$string":"null"}"#),
            ("{\\n}\n", .json, #"{"$string":"{\n}"}"#), (" 1\n", .json, #"{"$string":" 1"}"#),
            ("\"\\\\u00e9\\\\n\"\n", .json, #""\u00e9\n""#), ("\"\\\\ud800\"\n", .json, #"{"$string":"\"\\ud800\""}"#),
            ("{\"$real\": \"1\"}\n", .json, #"{"$string":"{\"$real\": \"1\"}"}"#), ("x\n", .secret, "null"),
        ])
    func kinds(_ row: String, _ form: Form, _ expected: String) {
        #expect(Self.encode(row, form) == "{\"a\":\(expected)}")
    }

    @Test("Text that is not UTF-8 keeps its bytes") func brokenText() {
        let row = Array("ok\\n".utf8) + [0xC3, 0x28, 0xFF] + Array("\t7\n".utf8)
        #expect(Self.encode(row, [.text, .number]) == #"{"a":{"$text":"b2sKwyj/"},"b":7}"#)
    }

    @Test("A table without columns has rows") func noColumns() {
        #expect(Self.encode("\n") == "{}")
    }

    @Test("A line of another shape is refused", arguments: ["1\n", "1\t2\t3\n", "1\tx\\q\n", "1\t2", ""])
    func otherShapes(_ row: String) {
        #expect(Self.encode(row, .number, .text) == nil)
    }

    @Test(
        "Bad digits of bytes and bad truth values are refused",
        arguments: [
            ("\\\\x0\n", Form.bytes), ("\\\\xgg\n", .bytes), ("abc\n", .bytes), ("x\n", .boolean), ("true\n", .boolean),
        ])
    func badValues(_ row: String, _ form: Form) {
        #expect(Self.encode(row, form) == nil)
    }

    // MARK: Against the plain way

    /// COPY's escapes, as its documentation lists them.
    static func copyText(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x08: Array("\\b".utf8)
            case 0x09: Array("\\t".utf8)
            case 0x0A: Array("\\n".utf8)
            case 0x0B: Array("\\v".utf8)
            case 0x0C: Array("\\f".utf8)
            case 0x0D: Array("\\r".utf8)
            case 0x5C: Array("\\\\".utf8)
            default: [byte]
            }
        }
    }

    static func randomText(_ random: inout SeededGenerator) -> String {
        let alphabet: [Character] = [
            "a", "b", "Z", "0", " ", "\"", "\\", "\n", "\t", "\r", "\u{8}", "\u{B}", "\u{C}", "\u{1}", "\u{1F}",
            "\u{7F}", "é", "€", "😀", "{", "}", "/", "N",
        ]
        let plain = random.chance(1, in: 2)
        return String(
            (0..<Int.random(in: 0...40, using: &random)).map { _ in
                plain ? "x" : alphabet.randomElement(using: &random) ?? "x"
            })
    }

    @Test("Random rows read back as what they were", arguments: 0..<200)
    func randomRows(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let count = Int.random(in: 1...30, using: &random)
        let forms = (0..<count).map { _ in
            [Form.number, .text, .bytes, .boolean].randomElement(using: &random) ?? .text
        }
        var row: [UInt8] = []
        var expected: [NSObject] = []
        for (index, form) in forms.enumerated() {
            if index > 0 { row.append(0x09) }
            if random.chance(1, in: 6) {
                row += Array("\\N".utf8)
                expected.append(NSNull())
                continue
            }
            switch form {
            case .number:
                let value = Int64.random(in: Int64.min...Int64.max, using: &random)
                row += Array("\(value)".utf8)
                expected.append(NSNumber(value: value))
            case .boolean:
                let value = random.chance(1, in: 2)
                row.append(value ? 0x74 : 0x66)
                expected.append(NSNumber(value: value))
            case .bytes:
                let value = random.bytes(Int.random(in: 0...50, using: &random))
                row += Array("\\\\x".utf8) + Array(value.map { String(format: "%02x", $0) }.joined().utf8)
                expected.append(Data(value).base64EncodedString() as NSString)
            default:
                let value = Self.randomText(&random)
                row += Self.copyText(Array(value.utf8))
                expected.append(value as NSString)
            }
        }
        let text = try #require(Self.encode(row + [0x0A], forms))
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let read = try #require(object)
        #expect(read.count == count)
        for (index, value) in expected.enumerated() {
            let key = String(UnicodeScalar(UInt8(97 + index % 26))) + (index < 26 ? "" : "\(index)")
            let found = try #require(read[key] as? NSObject)
            if let string = value as? NSString {
                // Bytes: equality of texts would take canonically equivalent ones for the same.
                let foundString = try #require(found as? NSString)
                #expect(Array((foundString as String).utf8) == Array((string as String).utf8))
            } else if forms[index] == .number, value is NSNumber {
                // Foundation reads some large integers as doubles.
                #expect(text.contains("\"\(key)\":\(value)"), "column \(key) of \(text)")
            } else {
                #expect(found == value, "column \(key) of \(text)")
            }
        }
    }
}
