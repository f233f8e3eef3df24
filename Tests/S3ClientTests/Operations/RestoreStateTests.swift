import S3Client
import Testing

@Suite struct RestoreStateTests {
    @Test(
        "The header says how far an object is on its way back",
        arguments: [
            ("ongoing-request=\"true\"", .inProgress),
            (
                "ongoing-request=\"false\", expiry-date=\"Fri, 24 May 2013 00:00:00 GMT\"",
                .restored(until: 1_369_353_600)
            ),
            ("ongoing-request=\"false\"", .restored(until: nil)),
            ("ongoing-request=\"false\", expiry-date=\"soon, or: later\"", .restored(until: nil)), ("", nil),
            ("yes", nil),
        ] as [(String, RestoreState?)])
    func reading(_ header: String, _ state: RestoreState?) { #expect(RestoreState(header: header) == state) }
}
