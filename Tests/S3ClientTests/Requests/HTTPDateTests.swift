import Glibc
import S3Client
import TestSupport
import Testing

@Suite struct HTTPDateTests {
    @Test(
        "Both forms are read",
        arguments: [
            ("Fri, 24 May 2013 00:00:00 GMT", 1_369_353_600), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:60 GMT", 1_709_251_200), ("Mon, 1 jan 2001 1:2:3 GMT", 978_310_923),
            ("2013-05-24T00:00:00.000Z", 1_369_353_600), ("2013-05-24T00:00:00Z", 1_369_353_600),
            ("2013-05-24T00:00:01.123456789Z", 1_369_353_601),
        ] as [(String, Int64)])
    func reading(_ text: String, _ seconds: Int64) { #expect(HTTPDate.parse(text) == seconds) }

    @Test(
        "What is no date is none",
        arguments: [
            "", ",", "now", "Fri, 24 May 2013", "Fri, 24 Foo 2013 00:00:00 GMT", "Fri, 00 May 2013 00:00:00 GMT",
            "Fri, 24 May 2013 24:00:00 GMT", "Fri, 24 May 1969 00:00:00 GMT",
            "Fri, 24 May 99999999999999999999 00:00:00 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT", "2013-05-24", "2013-13-24T00:00:00Z", "2013-05-24T00:60:00Z",
            "2013-05-24T00:00:00", "2013-05-24T00:00:00+01:00",
        ])
    func refusals(_ text: String) { #expect(HTTPDate.parse(text) == nil) }

    @Test("Any second is written and read as the C library does")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2_000 {
            let seconds = Int64.random(in: 0..<253_402_300_800, using: &generator)
            var time = time_t(seconds)
            var parts = tm()
            gmtime_r(&time, &parts)
            var buffer = [CChar](repeating: 0, count: 64)
            let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
            let iso = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(HTTPDate.iso(seconds) == iso)
            #expect(HTTPDate.parse(iso) == seconds)
            let httpCount = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            let http = String(decoding: buffer.prefix(httpCount).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(HTTPDate.parse(http) == seconds)
        }
    }
}
