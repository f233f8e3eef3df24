/// The members of a JSON object as slices of its text, so that each can be read by whoever knows its shape, or kept
/// byte for byte.
package struct JSONSlices: Sendable {
    package let members: [(key: String, value: [UInt8])]

    /// - Throws: `damaged` where the text is not one object, or a key is there twice.
    package init(object text: [UInt8], depth: Int = 128) throws(BackupError) {
        var members: [(key: String, value: [UInt8])] = []
        var seen: Set<ExactName> = []
        let failure = text.withUnsafeBufferPointer { buffer -> String? in
            guard let base = buffer.baseAddress else { return "it is empty" }
            let end = buffer.count
            var index = JSONText.skipWhitespace(base, 0, end)
            guard index < end, base[index] == UInt8(ascii: "{") else { return "it is not an object" }
            index = JSONText.skipWhitespace(base, index + 1, end)
            if index < end, base[index] == UInt8(ascii: "}") { return JSONSlices.trailing(base, index + 1, end) }
            while true {
                let keyEnd = JSONText.skipString(base, index, end)
                guard keyEnd >= 0 else { return "no key at byte \(JSONText.failurePosition(keyEnd))" }
                guard let key = JSONSlices.string(Array(buffer[index..<keyEnd])) else { return "a bad key" }
                guard seen.insert(ExactName(key)).inserted else { return "the key \"\(key)\" is there twice" }
                index = JSONText.skipWhitespace(base, keyEnd, end)
                guard index < end, base[index] == UInt8(ascii: ":") else { return "no colon at byte \(index)" }
                index = JSONText.skipWhitespace(base, index + 1, end)
                let valueEnd = JSONText.skipValue(base, index, end, depth: depth)
                guard valueEnd >= 0 else { return "no value at byte \(JSONText.failurePosition(valueEnd))" }
                members.append((key, Array(buffer[index..<valueEnd])))
                index = JSONText.skipWhitespace(base, valueEnd, end)
                guard index < end else { return "it ends too early" }
                if base[index] == UInt8(ascii: "}") { return JSONSlices.trailing(base, index + 1, end) }
                guard base[index] == UInt8(ascii: ",") else { return "no comma at byte \(index)" }
                index = JSONText.skipWhitespace(base, index + 1, end)
            }
        }
        if let failure { throw BackupError(.damaged, "a JSON object cannot be read: \(failure)") }
        self.members = members
    }

    package subscript(_ key: String) -> [UInt8]? { members.first { $0.key.isExactly(key) }?.value }

    private static func trailing(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> String? {
        JSONText.skipWhitespace(base, start, end) == end ? nil : "something follows it"
    }

    /// The elements of a well-formed JSON array as slices of its text; nil for anything else.
    package static func elements(of text: [UInt8], depth: Int = 128) -> [[UInt8]]? {
        text.withUnsafeBufferPointer { buffer -> [[UInt8]]? in
            guard let base = buffer.baseAddress, base[0] == UInt8(ascii: "[") else { return nil }
            let end = buffer.count
            var elements: [[UInt8]] = []
            var index = JSONText.skipWhitespace(base, 1, end)
            if index < end, base[index] == UInt8(ascii: "]") {
                return trailing(base, index + 1, end) == nil ? elements : nil
            }
            while true {
                let next = JSONText.skipValue(base, index, end, depth: depth)
                guard next >= 0 else { return nil }
                elements.append(Array(buffer[index..<next]))
                index = JSONText.skipWhitespace(base, next, end)
                guard index < end else { return nil }
                if base[index] == UInt8(ascii: "]") { return trailing(base, index + 1, end) == nil ? elements : nil }
                guard base[index] == UInt8(ascii: ",") else { return nil }
                index = JSONText.skipWhitespace(base, index + 1, end)
            }
        }
    }

    /// The text that a well-formed JSON string, quotes included, stands for.
    package static func string(_ literal: [UInt8]) -> String? {
        var output: [UInt8] = []
        output.reserveCapacity(literal.count)
        let readable = literal.withUnsafeBufferPointer { buffer -> Bool in
            guard let base = buffer.baseAddress, JSONText.skipString(base, 0, buffer.count) == buffer.count else {
                return false
            }
            var index = 1
            while index < buffer.count - 1 {
                guard base[index] == UInt8(ascii: "\\") else {
                    output.append(base[index])
                    index += 1
                    continue
                }
                index += JSONSlices.appendEscape(base, index, buffer.count, to: &output)
            }
            return true
        }
        return readable ? String(validating: output, as: UTF8.self) : nil
    }

    /// Appends what the checked escape at `index` stands for; returns its length.
    package static func appendEscape(
        _ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int, to output: inout [UInt8]
    ) -> Int {
        switch base[index + 1] {
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            var value = UInt32(truncatingIfNeeded: JSONText.hexadecimalUnit(base, index + 2, end))
            var length = 6
            if value & 0xFC00 == 0xD800 {
                let low = UInt32(truncatingIfNeeded: JSONText.hexadecimalUnit(base, index + 8, end))
                value = 0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF)
                length = 12
            }
            if let scalar = Unicode.Scalar(value) { output += Array(String(scalar).utf8) }
            return length
        case let plain: output.append(plain)
        }
        return 2
    }
}
