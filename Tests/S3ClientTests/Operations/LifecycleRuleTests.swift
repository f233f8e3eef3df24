import S3Client
import Testing

@Suite struct LifecycleRuleTests {
    private static let rules: [LifecycleRule] = {
        var all = LifecycleRule(id: "all <&> \"quoted\"", prefix: "a/ü b/", isEnabled: false)
        all.expirationDays = 30
        all.noncurrentExpirationDays = 7
        all.abortIncompleteUploadDays = 2
        all.transitionDays = 5
        all.transitionClass = "GLACIER"
        var uploads = LifecycleRule(id: "uploads", prefix: "")
        uploads.abortIncompleteUploadDays = 1
        return [all, uploads, LifecycleRule(id: "", prefix: "x")]
    }()

    @Test("A rule is read as it was written", arguments: rules)
    func roundTrip(_ rule: LifecycleRule) throws {
        let tree = try XMLTree.parse(Array(try rule.xml().utf8), root: "Rule")
        #expect(LifecycleRule(tree) == rule)
    }

    @Test(
        "A prefix is found where servers put it",
        arguments: [
            "<Prefix>p</Prefix>", "<Filter><Prefix>p</Prefix></Filter>",
            "<Filter><And><Prefix>p</Prefix><Tag><Key>k</Key></Tag></And></Filter>",
        ])
    func prefix(_ inner: String) throws {
        let tree = try XMLTree.parse(Array("<Rule><ID>i</ID>\(inner)<Status>Enabled</Status></Rule>".utf8))
        #expect(LifecycleRule(tree) == LifecycleRule(id: "i", prefix: "p"))
    }
}
