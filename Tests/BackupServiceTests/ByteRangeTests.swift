import BackupService
import Testing

@Suite("Ranges of a download")
struct ByteRangeTests {
    struct Example: Sendable {
        var header: String?
        var size: Int64
        var wish: ByteRange.Wish
    }

    static let examples: [Example] = [
        Example(header: nil, size: 10, wish: .whole), Example(header: "bytes=0-0", size: 10, wish: part(0, 1)),
        Example(header: "bytes=2-", size: 10, wish: part(2, 10)),
        Example(header: "bytes=-3", size: 10, wish: part(7, 10)),
        Example(header: "bytes=-30", size: 10, wish: part(0, 10)),
        Example(header: "bytes=5-99", size: 10, wish: part(5, 10)),
        Example(header: "bytes=9-9", size: 10, wish: part(9, 10)),
        Example(header: "bytes=10-", size: 10, wish: .unsatisfiable),
        Example(header: "bytes=10-20", size: 10, wish: .unsatisfiable),
        Example(header: "bytes=-0", size: 10, wish: .unsatisfiable),
        Example(header: "bytes=-5", size: 0, wish: .unsatisfiable),
        Example(header: "bytes=0-99999999999999999999", size: 10, wish: part(0, 10)),
        Example(header: "bytes=99999999999999999999-", size: 10, wish: .unsatisfiable),
        // What cannot be read, or is more than one, is as if it were not there.
        Example(header: "bytes=5-2", size: 10, wish: .whole), Example(header: "bytes=0-1,4-5", size: 10, wish: .whole),
        Example(header: "bytes=", size: 10, wish: .whole), Example(header: "bytes=-", size: 10, wish: .whole),
        Example(header: "bytes=a-b", size: 10, wish: .whole), Example(header: "bytes=1-2-3", size: 10, wish: .whole),
        Example(header: "lines=1-2", size: 10, wish: .whole), Example(header: "bytes=+1-2", size: 10, wish: .whole),
    ]

    private static func part(_ start: Int64, _ end: Int64) -> ByteRange.Wish {
        .part(ByteRange(start: start, end: end))
    }

    @Test("A header, and what it asks for", arguments: examples)
    func wish(_ example: Example) {
        #expect(ByteRange.wish(example.header, size: example.size) == example.wish)
    }
}
