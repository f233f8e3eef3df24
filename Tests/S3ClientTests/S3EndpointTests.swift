import S3Client
import Testing

@Suite struct S3EndpointTests {
    @Test(
        "Addresses are read",
        arguments: [
            ("https://minio.example.com:9000", "https://minio.example.com:9000"),
            ("minio.example.com:9000", "https://minio.example.com:9000"),
            ("MinIO.Example.COM", "https://minio.example.com"), ("HTTP://localhost/", "http://localhost"),
            ("http://127.0.0.1:80", "http://127.0.0.1"), ("https://host:443", "https://host"),
            ("http://host:443", "http://host:443"), ("https://host:80", "https://host:80"),
            ("https://[::1]:9000", "https://[::1]:9000"), ("[fe80::1]", "https://[fe80::1]"),
            ("under_score:1", "https://under_score:1"), ("https://host:65535", "https://host:65535"),
        ])
    func reading(_ text: String, _ description: String) throws {
        let endpoint = try S3Endpoint(parsing: text)
        #expect(endpoint.description == description)
        #expect(endpoint.addressing == .path)
        #expect(!endpoint.isAmazon)
    }

    @Test(
        "What is no address is refused, with a word why",
        arguments: [
            ("", "no host"), ("https://", "no host"), ("http://:9000", "no host"),
            ("ftp://host", "neither http nor https"),
            ("s3://bucket", "neither http nor https"), ("https://host/bucket", "has a path"),
            ("https://host//", "has a path"),
            ("https://host?x", "has a path"), ("https://host#x", "has a path"),
            ("https://user:pw@host", "has a user name"),
            ("https://host:0", "port is not"), ("https://host:65536", "port is not"), ("https://host:", "port is not"),
            ("https://host:x", "port is not"), ("https://host:-1", "port is not"), ("https://[::1]x", "port is not"),
            ("https://ho st", "odd characters"), ("https://hö.st", "odd characters"),
            ("https://[::1", "odd characters"),
        ])
    func refusals(_ text: String, _ reason: String) {
        let error = #expect(throws: S3Error.self) { try S3Endpoint(parsing: text) }
        #expect(error?.kind == .configuration)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test(
        "A bucket is named by the path or by the host, as the provider wants, and by the path where no host can hold it",
        arguments: [
            ("https://minio:9000", "backups", "minio:9000", "/backups/"),
            ("https://s3.eu-central-1.wasabisys.com", "backups", "s3.eu-central-1.wasabisys.com", "/backups/"),
            ("https://nyc3.digitaloceanspaces.com", "backups", "backups.nyc3.digitaloceanspaces.com", "/"),
            ("https://nyc3.digitaloceanspaces.com", "my.backups", "nyc3.digitaloceanspaces.com", "/my.backups/"),
            ("https://nyc3.digitaloceanspaces.com", "Backups", "nyc3.digitaloceanspaces.com", "/Backups/"),
            ("https://us-ord-1.linodeobjects.com:8443", "b-1", "b-1.us-ord-1.linodeobjects.com:8443", "/"),
            ("https://nyc3.digitaloceanspaces.com", nil, "nyc3.digitaloceanspaces.com", "/"),
        ] as [(String, String?, String, String)])
    func places(_ endpoint: String, _ bucket: String?, _ authority: String, _ path: String) throws {
        let place = try S3Endpoint(parsing: endpoint).place(bucket: bucket, region: "us-east-1")
        #expect(place.authority == authority)
        #expect(place.path == path)
    }

    @Test("How buckets are named may be forced")
    func forced() throws {
        let byHost = try S3Endpoint(parsing: "http://localhost:9000", addressing: .host)
        #expect(byHost.place(bucket: "b", region: "").authority == "b.localhost:9000")
        let byPath = try S3Endpoint(parsing: "https://nyc3.digitaloceanspaces.com", addressing: .path)
        #expect(byPath.place(bucket: "b", region: "").path == "/b/")
    }

    @Test(
        "Amazon's hosts follow the region",
        arguments: [
            ("s3.amazonaws.com", "eu-west-1", "b.s3.eu-west-1.amazonaws.com"),
            ("s3.us-east-1.amazonaws.com", "eu-west-1", "b.s3.eu-west-1.amazonaws.com"),
            ("s3.us-east-1.amazonaws.com:8080", "eu-west-1", "b.s3.eu-west-1.amazonaws.com:8080"),
            ("s3.cn-north-1.amazonaws.com.cn", "cn-northwest-1", "b.s3.cn-northwest-1.amazonaws.com.cn"),
            ("s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1", "b.s3.dualstack.eu-west-1.amazonaws.com"),
            ("s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "b.s3-fips.us-gov-west-1.amazonaws.com"),
        ])
    func amazon(_ host: String, _ region: String, _ authority: String) throws {
        let endpoint = try S3Endpoint(parsing: host)
        #expect(endpoint.isAmazon)
        #expect(endpoint.place(bucket: "b", region: region).authority == authority)
        #expect(endpoint.place(bucket: "b.c", region: region).path == "/b.c/")
    }

    @Test(
        "Amazon in a region",
        arguments: [("eu-west-1", "s3.eu-west-1.amazonaws.com"), ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn")])
    func amazonByRegion(_ region: String, _ host: String) {
        let endpoint = S3Endpoint.aws(region: region)
        #expect(endpoint.host == host)
        #expect(endpoint.scheme == .https)
        #expect(endpoint.addressing == .host)
    }
}
