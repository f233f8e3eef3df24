package import BackupCore

/// Checks that each row is one JSON object, and nothing else.
package final class RowSyntaxCheck: RowStage {
    private let isForeign: Bool
    private let depth: Int
    private let leniency: JSONText.Leniency

    /// - Parameter isForeign: whether the archive is in the plain form: Python writes numbers that JSON lacks, and
    ///   another program may name a key twice, which a restore refuses. Of ours, nested JSON values are at most 100
    ///   deep, and a row adds its own object and a tag.
    package init(isForeign: Bool = false) {
        self.isForeign = isForeign
        depth = isForeign ? 512 : 102
        leniency = isForeign ? .nonFiniteNumbers : []
    }

    package func makeBuffer() -> (any AnyObject & Sendable)? { isForeign ? RowKeys() : nil }

    package func process(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
        let text = UnsafePointer(batch.bytes.assumingMemoryBound(to: UInt8.self))
        let keys = buffer as? RowKeys
        for row in batch.rows {
            let end = JSONText.skipValue(
                text, Int(row.start), Int(row.end), depth: depth, leniency: leniency)
            guard end == Int(row.end), text[Int(row.start)] == UInt8(ascii: "{") else {
                throw BackupError(.damaged, "a row is not a JSON object")
            }
            if let keys, let key = keys.duplicate(text, Int(row.start), end, depth: depth, leniency: leniency) {
                throw BackupError(.damaged, "a row is malformed: the key \"\(key)\" is there twice")
            }
        }
    }

    package func deliver(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {}
}

/// The keys of one row, in memory that is used again for the next. Goes with one batch at a time.
private final class RowKeys: @unchecked Sendable {
    /// The keys' bytes, without escapes, one behind the other.
    private var bytes: [UInt8] = []
    private var ranges: [Range<Int>] = []
    /// A hash table with open addressing: the row in which a place was taken last, and by which key.
    private var places: [(row: UInt64, key: Int)] = []
    private var row: UInt64 = 0

    /// The first key that is there twice in a well-formed object; nil where each is there once.
    func duplicate(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, depth: Int, leniency: JSONText.Leniency
    ) -> String? {
        bytes.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
        row += 1
        var index = JSONText.skipWhitespace(text, start + 1, end)
        while index < end, text[index] == UInt8(ascii: "\"") {
            let keyEnd = JSONText.skipString(text, index, end)
            guard keyEnd > 0 else { return nil }
            if !add(text, index + 1, keyEnd - 1), let last = ranges.last {
                return String(decoding: bytes[last], as: UTF8.self)
            }
            index = JSONText.skipWhitespace(text, keyEnd, end)
            index = JSONText.skipWhitespace(text, index + 1, end)
            index = JSONText.skipValue(text, index, end, depth: depth - 1, leniency: leniency)
            guard index > 0 else { return nil }
            index = JSONText.skipWhitespace(text, index, end)
            guard index < end, text[index] == UInt8(ascii: ",") else { return nil }
            index = JSONText.skipWhitespace(text, index + 1, end)
        }
        return nil
    }

    /// Notes the key between two quotes; false where it was there.
    private func add(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let first = bytes.count
        var index = start
        while index < end {
            if text[index] == UInt8(ascii: "\\") {
                index += JSONSlices.appendEscape(text, index, end, to: &bytes)
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        ranges.append(first..<bytes.count)
        if ranges.count * 2 > places.count { grow() }
        return insert(ranges.count - 1)
    }

    private func insert(_ key: Int) -> Bool {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[ranges[key]])) }
        let mask = places.count - 1
        var place = hasher.finalize() & mask
        while places[place].row == row {
            if isSame(ranges[places[place].key], ranges[key]) { return false }
            place = (place + 1) & mask
        }
        places[place] = (row, key)
        return true
    }

    private func isSame(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        left.count == right.count && bytes[left].elementsEqual(bytes[right])
    }

    private func grow() {
        places = Array(repeating: (0, 0), count: max(64, places.count * 2))
        for key in ranges.indices.dropLast() { _ = insert(key) }
    }
}
