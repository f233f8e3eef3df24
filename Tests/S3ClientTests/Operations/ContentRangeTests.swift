import S3Client
import Testing

@Suite struct ContentRangeTests {
    @Test("A range and the whole are read")
    func reading() throws {
        let stated = try #require(ContentRange.parse("bytes 0-9/100"))
        #expect(stated.range == 0..<10)
        #expect(stated.whole == 100)
        let last = try #require(ContentRange.parse("bytes 9223372036854775805-9223372036854775805/9223372036854775807"))
        #expect(last.range.count == 1)
    }

    @Test(
        "What is no range is none, and no trap",
        arguments: [
            "", "bytes", "bytes ", "bytes */100", "bytes 0-9/*", "bytes 9-0/100", "bytes 0-100/100", "bytes 0-9",
            "bytes -1-9/100", "lines 0-9/100", "bytes a-b/c", "bytes 0-9/100/3",
            "bytes 0-9223372036854775807/9223372036854775807", "bytes 0-99999999999999999999/999999999999999999999",
        ])
    func refusals(_ text: String) { #expect(ContentRange.parse(text) == nil) }
}
