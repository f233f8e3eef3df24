import S3Client
import TestSupport
import Testing

@Suite struct ISO8601TimeTests {
    @Test(
        "Times in every form of RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2013-05-24T00:00:00Z", 1_369_353_600),
            ("2013-05-24t00:00:00z", 1_369_353_600),
            ("2009-10-12T17:50:30.000Z", 1_255_369_830), ("2009-10-12T17:50:30.25Z", 1_255_369_830.25),
            ("2000-02-29 00:00:00Z", 951_782_400), ("1969-12-31T23:59:59Z", -1),
            ("2013-05-24T02:30:00+02:30", 1_369_353_600), ("2013-05-23T17:00:00-0700", 1_369_353_600),
            ("2016-12-31T23:59:60Z", 1_483_228_800), ("0001-01-01T00:00:00Z", -62_135_596_800),
        ])
    func times(_ text: String, _ seconds: Double) {
        #expect(ISO8601Time.parse(text) == seconds)
    }

    @Test(
        "Other text is nil",
        arguments: [
            "", "now", "2013-05-24", "2013-05-24T00:00:00", "2013-13-01T00:00:00Z", "2013-00-01T00:00:00Z",
            "2013-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2013-04-31T00:00:00Z", "2013-05-24T24:00:00Z",
            "2013-05-24T00:60:00Z", "2013-05-24T00:00:61Z", "2013-05-24T00:00:00.Z", "2013-05-24T00:00:00ZZ",
            "13-05-24T00:00:00Z", "2013-05-24T00:00:00+25:00", "2013-05-24T00:00:00+1", "+013-05-24T00:00:00Z",
            "２013-05-24T00:00:00Z", "1369353600",
        ])
    func refusals(_ text: String) {
        #expect(ISO8601Time.parse(text) == nil)
    }

    @Test("Undoes the date of a signature for 5,000 random moments")
    func roundTrip() {
        var generator = SeededGenerator(seed: 8601)
        for _ in 0..<5000 {
            let seconds = Int64.random(in: -62_135_596_800...253_402_300_799, using: &generator)
            let stamp = Array(SigningDate(secondsSince1970: seconds).timestamp)
            let text =
                "\(String(stamp[0..<4]))-\(String(stamp[4..<6]))-\(String(stamp[6..<11])):"
                + "\(String(stamp[11..<13])):\(String(stamp[13...]))"
            #expect(ISO8601Time.parse(text) == Double(seconds))
        }
    }
}
