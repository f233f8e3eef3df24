import S3Client
import Testing

@Suite struct ProviderProfileTests {
    @Test(
        "A host tells its provider",
        arguments: [
            ("s3.eu-west-1.amazonaws.com", "aws"), ("S3.EU-WEST-1.AMAZONAWS.COM", "aws"),
            ("s3.cn-north-1.amazonaws.com.cn", "aws"), ("bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com", "aws"),
            ("s3.wasabisys.com", "wasabi"), ("s3.eu-central-1.wasabisys.com", "wasabi"),
            ("s3.us-west-004.backblazeb2.com", "b2"), ("nyc3.digitaloceanspaces.com", "spaces"),
            ("us-ord-1.linodeobjects.com", "linode"), ("account.r2.cloudflarestorage.com", "r2"),
            ("account.eu.r2.cloudflarestorage.com", "r2"), ("play.min.io", "minio"), ("localhost", "generic"),
            ("127.0.0.1", "generic"), ("evilamazonaws.com", "generic"), ("amazonaws.com.evil.org", "generic"),
        ])
    func hosts(_ host: String, _ name: String) { #expect(ProviderProfile.of(host: host).name == name) }

    @Test(
        "The region of the signature comes from the host, from the provider, or from the configuration",
        arguments: [
            ("s3.eu-central-1.wasabisys.com", "us-east-1", "eu-central-1"),
            ("s3.wasabisys.com", "us-east-2", "us-east-2"),
            ("s3.us-west-004.backblazeb2.com", "us-east-1", "us-west-004"),
            ("nyc3.digitaloceanspaces.com", "us-east-1", "nyc3"), ("us-ord-1.linodeobjects.com", "", "us-ord-1"),
            ("account.r2.cloudflarestorage.com", "eu-west-1", "auto"),
            ("s3.eu-west-1.amazonaws.com", "eu-west-3", "eu-west-3"),
            ("localhost", "here", "here"),
        ])
    func regions(_ host: String, _ configured: String, _ region: String) {
        #expect(ProviderProfile.of(host: host).signingRegion(configured: configured, host: host) == region)
    }

    @Test("Every provider has a name of its own, by which it is found", arguments: ProviderProfile.all + [.generic])
    func names(_ profile: ProviderProfile) {
        #expect(ProviderProfile.named(profile.name) == profile)
        #expect(ProviderProfile.named(profile.name.uppercased()) == profile)
        #expect((ProviderProfile.all + [.generic]).filter { $0.name == profile.name }.count == 1)
        #expect(profile.name == profile.name.lowercased())
        #expect(ProviderProfile.named("none") == nil)
    }

    @Test("No provider is asked for what it does not take", arguments: ProviderProfile.all + [.generic])
    func limits(_ profile: ProviderProfile) {
        #expect(profile.largestCopy <= 5 << 30)
        #expect(profile.maximumParts <= 10_000)
        #expect(profile.initialConcurrency >= 1)
        // An object of the greatest size fits into parts of 5 GiB.
        #expect(Int64(profile.maximumParts) * (5 << 30) >= profile.largestObject)
    }
}
