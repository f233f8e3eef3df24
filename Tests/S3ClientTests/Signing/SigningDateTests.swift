import Foundation
import S3Client
import TestSupport
import Testing

@Suite struct SigningDateTests {
    @Test(
        "Known moments",
        arguments: [
            (1_369_353_600, "20130524T000000Z"), (0, "19700101T000000Z"), (-1, "19691231T235959Z"),
            (951_782_400, "20000229T000000Z"), (4_107_542_399, "21000228T235959Z"), (4_107_542_400, "21000301T000000Z"),
            (1_709_251_199, "20240229T235959Z"), (253_402_300_799, "99991231T235959Z"),
            (-62_135_596_800, "00010101T000000Z"),
        ] as [(Int64, String)])
    func moments(_ seconds: Int64, _ timestamp: String) {
        let date = SigningDate(secondsSince1970: seconds)
        #expect(date.timestamp == timestamp)
        #expect(date.day == String(timestamp.prefix(8)))
    }

    @Test("Agrees with Foundation's calendar on 5,000 random moments of 1900 to 2500")
    func calendar() throws {
        var generator = SeededGenerator(seed: 7)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for _ in 0..<5000 {
            let seconds = Int64.random(in: -2_208_988_800..<16_725_225_600, using: &generator)
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: Double(seconds)))
            let expected = String(
                format: "%04d%02d%02dT%02d%02d%02dZ", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0,
                parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0)
            #expect(SigningDate(secondsSince1970: seconds).timestamp == expected)
        }
    }
}
