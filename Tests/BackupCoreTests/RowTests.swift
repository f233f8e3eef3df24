import BackupCore
import TestSupport
import Testing

private func digest(_ rows: [String]) -> TableDigest {
    var digest = TableDigest()
    for row in rows { Array(row.utf8).withUnsafeBytes { _ = digest.add($0) } }
    return digest
}

@Suite struct TableDigestTests {
    @Test func orderDoesNotMatterAndPartsAdd() {
        var generator = SeededGenerator(seed: 1)
        let rows = (0..<1000).map { "{\"id\":\($0)}" }
        let whole = digest(rows)
        #expect(digest(rows.shuffled(using: &generator)) == whole)
        var sum = digest(Array(rows[..<300]))
        sum.add(digest(Array(rows[300...])))
        #expect(sum == whole)
        #expect(TableDigest(hexadecimal: whole.hexadecimal) == whole)
    }

    @Test func equalRowsDoNotCancel() {
        let empty = TableDigest()
        for count in 1...64 {
            let repeated = digest(Array(repeating: "{\"id\":1}", count: count))
            #expect(repeated != empty)
            #expect(repeated != digest(Array(repeating: "{\"id\":1}", count: count - 1)))
        }
        #expect(digest(["a", "a", "b"]) != digest(["a", "b", "b"]))
        // Moving text from one row to another changes the rows.
        #expect(digest(["ab", "c"]) != digest(["a", "bc"]))
        #expect(digest([""]) != empty)
    }

    @Test func everyFlippedBitShows() {
        let row = Array("{\"id\":1,\"name\":\"O'Reilly é\"}".utf8)
        var seen: Set<String> = []
        for bit in 0..<row.count * 8 {
            var altered = row
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            var digest = TableDigest()
            altered.withUnsafeBytes { _ = digest.add($0) }
            seen.insert(digest.hexadecimal)
        }
        #expect(seen.count == row.count * 8)
        #expect(!seen.contains(digest([String(decoding: row, as: UTF8.self)]).hexadecimal))
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 31), String(repeating: "A", count: 32),
        "+" + String(repeating: "0", count: 31), "-" + String(repeating: "0", count: 31),
        String(repeating: "g", count: 32), String(repeating: "0", count: 33),
    ])
    func refusesWhatIsNoDigest(_ text: String) {
        #expect(TableDigest(hexadecimal: text) == nil)
    }

    @Test func emptyHasLeadingZeros() {
        #expect(TableDigest().hexadecimal == String(repeating: "0", count: 32))
        #expect(TableDigest(hexadecimal: TableDigest().hexadecimal) == TableDigest())
    }
}

@Suite struct MemberBoundaryTests {
    /// Splits rows into members as a backup does, each member as the list of its rows.
    private func members(_ rows: [String]) -> [[String]] {
        var members: [[String]] = []
        var current: [String] = []
        let batch = RowBatch()
        batch.reset(prefix: [], opensTable: false)
        for row in rows {
            let bytes = Array(row.utf8)
            let start = batch.beginRow(reserving: bytes.count)
            batch.append(bytes)
            current.append(row)
            if batch.endRow(startedAt: start) {
                members.append(current)
                current = []
                batch.reset(prefix: [], opensTable: false)
            }
        }
        return current.isEmpty ? members : members + [current]
    }

    private func row(_ id: Int, _ generator: inout SeededGenerator) -> String {
        let length = Int.random(in: 100...600, using: &generator)
        return "{\"id\":\(id),\"text\":\"\(String(repeating: "x", count: length))\"}"
    }

    @Test(arguments: [1, 25_000, 49_999]) func oneMoreRowChangesFewMembers(_ place: Int) {
        var generator = SeededGenerator(seed: 3)
        var rows: [String] = []
        for id in 0..<50_000 { rows.append(row(id, &generator)) }
        let before = members(rows)
        rows.insert("{\"id\":-1}", at: place)
        let after = members(rows)
        #expect(before.count > 10)
        #expect(Set(after).subtracting(Set(before)).count <= 4)
        #expect(after.flatMap { $0 } == rows)
    }

    @Test func sizesStayWithinBounds() {
        var generator = SeededGenerator(seed: 4)
        let rows = (0..<40_000).map { row($0, &generator) }
        let all = members(rows)
        for member in all.dropLast() {
            let size = member.reduce(0) { $0 + $1.utf8.count + 2 }
            #expect(size >= MemberBoundary.smallest)
            #expect(size < MemberBoundary.largest + 1024)
        }
    }

    @Test func theSizeAloneDecidesAtTheEnds() {
        let small = MemberBoundary.smallest
        #expect(!MemberBoundary.falls(afterRowOf: 10, hash: 0, textSoFar: small - 1))
        #expect(MemberBoundary.falls(afterRowOf: 10, hash: 0, textSoFar: small))
        #expect(!MemberBoundary.falls(afterRowOf: 10, hash: .max, textSoFar: MemberBoundary.largest - 1))
        #expect(MemberBoundary.falls(afterRowOf: 10, hash: .max, textSoFar: MemberBoundary.largest))
    }
}

@Suite struct RowBatchTests {
    private func text(_ batch: RowBatch) -> String {
        String(decoding: UnsafeRawBufferPointer(start: batch.bytes, count: batch.count), as: UTF8.self)
    }

    private func add(_ row: String, to batch: RowBatch) {
        let bytes = Array(row.utf8)
        let start = batch.beginRow(reserving: bytes.count)
        batch.append(bytes)
        _ = batch.endRow(startedAt: start)
    }

    @Test func separatesRows() {
        let batch = RowBatch()
        batch.reset(prefix: Array("\"t\":[".utf8), opensTable: true)
        add("{\"a\":1}", to: batch)
        add("{\"a\":2}", to: batch)
        #expect(text(batch) == "\"t\":[\n{\"a\":1},\n{\"a\":2}")
        #expect(batch.rows.map { "\($0.start)-\($0.end)" } == ["6-13", "15-22"])
        #expect(batch.digest == digest(["{\"a\":1}", "{\"a\":2}"]))
        batch.reset(prefix: [], opensTable: false)
        add("{\"a\":3}", to: batch)
        #expect(text(batch) == ",\n{\"a\":3}")
        #expect(batch.rowCount == 1)
        #expect(batch.digest == digest(["{\"a\":3}"]))
    }

    @Test func growsForALargeRowAndShrinksAgain() {
        let batch = RowBatch()
        batch.reset(prefix: [], opensTable: true)
        add("{\"first\":true}", to: batch)
        let large = "{\"a\":\"" + String(repeating: "y", count: 20 << 20) + "\"}"
        add(large, to: batch)
        #expect(batch.capacity >= large.utf8.count)
        #expect(batch.capacity < large.utf8.count + (4 << 20))
        #expect(text(batch) == "\n{\"first\":true},\n" + large)
        batch.reset()
        #expect(batch.capacity == RowBatch.ordinaryCapacity)
        #expect(batch.count == 0)
        #expect(batch.rowCount == 0)
        add("{\"b\":1}", to: batch)
        #expect(text(batch) == ",\n{\"b\":1}")
    }

    @Test func keepsPlacesOfManyRows() {
        let batch = RowBatch()
        batch.reset(prefix: [], opensTable: true)
        for number in 0..<20_000 { add("{\"n\":\(number)}", to: batch) }
        #expect(batch.rowCount == 20_000)
        for (number, span) in batch.rows.enumerated() where number % 997 == 0 {
            let row = UnsafeRawBufferPointer(start: batch.bytes + Int(span.start), count: Int(span.end - span.start))
            #expect(String(decoding: row, as: UTF8.self) == "{\"n\":\(number)}")
        }
    }
}
