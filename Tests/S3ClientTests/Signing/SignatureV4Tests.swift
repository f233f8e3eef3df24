import S3Client
import Testing

@Suite struct SignatureV4Tests {
    private static let credentials = Credentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        source: "documentation")
    private static let date = SigningDate(secondsSince1970: 1_369_353_600)
    private static let host = "examplebucket.s3.amazonaws.com"

    struct Vector: Sendable, CustomStringConvertible {
        var request: SigningRequest
        var target: String
        var signature: String
        var signed = "host;x-amz-content-sha256;x-amz-date"
        var region = "us-east-1"
        var service = "s3"
        var token: String?

        var description: String { "\(service) \(request)" }
    }

    private static let published = [
        Vector(
            request: SigningRequest(
                method: "GET", host: host, path: "/test.txt", headers: [("Range", "bytes=0-9")]),
            target: "/test.txt",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            signed: "host;range;x-amz-content-sha256;x-amz-date"),
        Vector(
            request: SigningRequest(
                method: "PUT", host: host, path: "/test$file.text",
                headers: [
                    ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                    ("Content-Length", "21"), ("User-Agent", "x"), ("Accept-Encoding", "gzip"), ("Expect", "y"),
                    ("X-Amzn-Trace-Id", "z"), ("Connection", "close"), ("TE", "t"), ("Transfer-Encoding", "chunked"),
                ],
                payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
            target: "/test%24file.text",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"),
        Vector(
            request: SigningRequest(method: "GET", host: host, path: "/", query: [("lifecycle", nil)]),
            target: "/?lifecycle=",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            request: SigningRequest(
                method: "GET", host: host, path: "", query: [("prefix", "J"), ("max-keys", "2")]),
            target: "/?max-keys=2&prefix=J",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    /// Made with botocore 1.44.5.
    private static let botocore = [
        Vector(
            request: SigningRequest(
                method: "GET", host: host, path: "/wal dir/a+b=c&d@e,f;g:h!i*j'k(l)m~n_o-p.q#r?s%t/ünï☃.zst"),
            target: "/wal%20dir/a%2Bb%3Dc%26d%40e%2Cf%3Bg%3Ah%21i%2Aj%27k%28l%29m~n_o-p.q%23r%3Fs%25t/"
                + "%C3%BCn%C3%AF%E2%98%83.zst",
            signature: "8d8e7739b992f1091aa19da897fd2b2718c99613cdc007f7be39068afbec7e64"),
        Vector(
            request: SigningRequest(method: "GET", host: host, path: "/a//b/./c/../d"), target: "/a//b/./c/../d",
            signature: "709f70d2971c76c0315a08869d1139ebf4b6efc1e95a08f7d91c784b3b6f1aeb"),
        Vector(
            request: SigningRequest(
                method: "HEAD", host: "127.0.0.1:9000", path: "/pg-backups/base/000000010000000000000001"),
            target: "/pg-backups/base/000000010000000000000001",
            signature: "692a4ac08c7aa46058a59308ffea8f657be308f49f37e6bd9ab13913fceefc32"),
        Vector(
            request: SigningRequest(method: "POST", host: host, path: "/base.tar", query: [("uploads", "")]),
            target: "/base.tar?uploads=",
            signature: "e56d1eec7e189adfaee33cf4a261694647c48f64cd324544563c73350daf7989"),
        Vector(
            request: SigningRequest(
                method: "GET", host: "127.0.0.1:9000", path: "/b/",
                query: [
                    ("list-type", "2"), ("prefix", "a/b c"), ("delimiter", "/"), ("continuation-token", "1+/="),
                    ("start-after", ""),
                ]),
            target: "/b/?continuation-token=1%2B%2F%3D&delimiter=%2F&list-type=2&prefix=a%2Fb%20c&start-after=",
            signature: "cb13c002e3cc4859f9c940730022444be5dd2faa318688eba2b8423f7aab1ea2"),
        Vector(
            request: SigningRequest(
                method: "GET", host: "127.0.0.1:9000", path: "/b",
                query: [("a", "2"), ("a", "1"), ("a", nil), ("B", "3"), ("a b", "4"), ("a-", "5"), ("a/", "6")]),
            target: "/b?B=3&a=&a=1&a=2&a%20b=4&a%2F=6&a-=5",
            signature: "9715f465763b7c66274d79076cfda0e856b14a17a9bf84eedc3d232ec968483f"),
        Vector(
            request: SigningRequest(
                method: "PUT", host: "s3.eu-central-1.amazonaws.com", path: "/b.c/k\r~ü",
                headers: [
                    ("X-Amz-Meta-Note", "  a   b  "), ("content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="),
                    ("content-type", "application/gzip"), ("x-amz-storage-class", "STANDARD_IA"),
                ],
                payloadHash: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
            target: "/b.c/k%0D~%C3%BC",
            signature: "353291cd1f6221eaae063d5e6a8a7fe20f3e0395678520c1276f0c049444fbcc",
            signed: "content-md5;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-note;"
                + "x-amz-security-token;x-amz-storage-class",
            region: "eu-central-1", token: "TOKEN/with+odd=="),
        Vector(
            request: assumeRole, target: "/",
            signature: "6055d6b8b0d2830c289f406e7a8acd8f42d22cf874c63c55815dda964d5106ff",
            signed: "content-type;host;x-amz-date", region: "eu-west-1", service: "sts"),
        Vector(
            request: assumeRole, target: "/",
            signature: "387c19e9fe88eb2794c53bc802832f2cc2b5a5dd48de1b9888df61c74124b602",
            signed: "content-type;host;x-amz-date;x-amz-security-token", region: "eu-west-1", service: "sts",
            token: "TOKEN/with+odd=="),
    ]

    /// Of the body `Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbackup`
    /// and `&RoleSessionName=x`.
    private static let assumeRole = SigningRequest(
        method: "POST", host: "sts.eu-west-1.amazonaws.com", path: "/",
        headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
        payloadHash: "52ce5e0aaafab1ad4efcfd33be3f02102722d8e4630271e9eee6147b08cf31d6")

    @Test("Signatures and targets are those of the documentation and of botocore", arguments: published + botocore)
    func vectors(_ vector: Vector) throws {
        var credentials = Self.credentials
        credentials.sessionToken = vector.token
        let signed = SignatureV4.sign(
            vector.request, credentials: credentials, region: vector.region, service: vector.service, date: Self.date)
        let headers = Dictionary(uniqueKeysWithValues: signed.headers)
        #expect(signed.target == vector.target)
        #expect(
            headers["authorization"]
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/\(vector.region)/\(vector.service)/"
                + "aws4_request, SignedHeaders=\(vector.signed), Signature=\(vector.signature)")
        #expect(headers["x-amz-date"] == "20130524T000000Z")
        #expect(headers["x-amz-content-sha256"] == (vector.service == "s3" ? vector.request.payloadHash : nil))
        #expect(headers["x-amz-security-token"] == vector.token)
        #expect(headers["host"] == nil)
    }

    @Test("A presigned address is that of the documentation")
    func presigned() {
        let address = SignatureV4.presign(
            method: "GET", scheme: "https", host: Self.host, path: "/test.txt", expiresIn: 86_400,
            credentials: Self.credentials, region: "us-east-1", date: Self.date)
        #expect(
            address
                == "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test("Presigned addresses with odd keys, queries and tokens are those of botocore")
    func presignedOdd() {
        let plain = SignatureV4.presign(
            method: "PUT", scheme: "https", host: "b.s3.eu-central-1.amazonaws.com", path: "/dür/a b+c",
            expiresIn: 3600, credentials: Self.credentials, region: "eu-central-1", date: Self.date)
        #expect(plain.hasPrefix("https://b.s3.eu-central-1.amazonaws.com/d%C3%BCr/a%20b%2Bc?X-Amz-Algorithm="))
        #expect(plain.hasSuffix("=6fd5af2ed1739e46fb2da25c3f944bb2c749b3930a248a338e2cdbedd22da212"))
        var temporary = Self.credentials
        temporary.sessionToken = "TOKEN/with+odd=="
        let versioned = SignatureV4.presign(
            method: "PUT", scheme: "http", host: "127.0.0.1:9000", path: "/b/k", query: [("versionId", "x/y")],
            expiresIn: 60, credentials: temporary, region: "us-east-1", date: Self.date)
        #expect(versioned.contains("&X-Amz-Security-Token=TOKEN%2Fwith%2Bodd%3D%3D&"))
        #expect(versioned.contains("&versionId=x%2Fy&"))
        #expect(versioned.hasSuffix("=03226eafb398f2e6dc6b5a4618eed9e9d8189c832cf6a37e32169085f4024b5c"))
    }

    @Test("White space in headers, their order and their case do not change the signature")
    func headerForms() {
        func authorization(_ headers: [(String, String)]) -> String? {
            let request = SigningRequest(method: "PUT", host: Self.host, path: "/k", headers: headers)
            return SignatureV4.sign(request, credentials: Self.credentials, region: "r", date: Self.date).headers
                .first { $0.0 == "authorization" }?.1
        }
        let plain = authorization([("x-amz-meta-a", "1 2"), ("x-amz-meta-b", "3")])
        #expect(plain == authorization([("X-AMZ-META-B", " 3\t"), ("X-Amz-Meta-A", "\t1 \t  2 ")]))
        #expect(plain != authorization([("x-amz-meta-a", "12"), ("x-amz-meta-b", "3")]))
        #expect(
            authorization([("x-amz-meta-a", "1"), ("x-amz-meta-a", " 2 ")]) == authorization([("x-amz-meta-a", "1,2")]))
        #expect(plain == authorization([("x-amz-meta-a", "1 2"), ("x-amz-meta-b", "3"), ("X-Amz-Date", "other")]))
    }

    @Test("Cached keys are told apart by secret, day, region and service, and eviction changes nothing")
    func keyCache() {
        func authorization(_ secret: String, _ day: Int64, _ region: String, _ service: String) -> String? {
            let credentials = Credentials(accessKeyID: "A", secretAccessKey: secret, source: "test")
            return SignatureV4.sign(
                SigningRequest(method: "GET", host: "h", path: "/"), credentials: credentials, region: region,
                service: service, date: SigningDate(secondsSince1970: day * 86_400)
            ).headers.last.map { String($0.1.suffix(64)) }
        }
        let first = authorization("s", 1, "r", "s3")
        let others = [
            authorization("t", 1, "r", "s3"), authorization("s", 2, "r", "s3"), authorization("s", 1, "q", "s3"),
            authorization("s", 1, "r", "sts"),
        ]
        #expect(Set(others + [first]).count == 5)
        for day in 0..<100 { _ = authorization("s", Int64(day), "r", "s3") }
        #expect(authorization("s", 1, "r", "s3") == first)
    }

    @Test("Descriptions show neither secret nor signature nor token nor header")
    func descriptions() {
        var credentials = Self.credentials
        credentials.sessionToken = "TOKEN"
        let request = SigningRequest(
            method: "PUT", host: "h", path: "/k",
            headers: [("x-amz-server-side-encryption-customer-key", "CUSTOMERKEY")])
        let signed = SignatureV4.sign(request, credentials: credentials, region: "r", date: Self.date)
        for text in ["\(request)", "\(signed)", "\(credentials)", String(reflecting: credentials)] {
            for secret in ["TOKEN", "wJalr", "CUSTOMERKEY", "Signature"] { #expect(!text.contains(secret)) }
        }
    }

    @Test("A signature costs less than 100 microseconds")
    func cost() {
        let request = Self.botocore[6].request
        let clock = ContinuousClock()
        let rounds = 2000
        var targets = 0
        let best =
            (0..<5).map { _ in
                clock.measure {
                    for _ in 0..<rounds {
                        targets +=
                            SignatureV4.sign(
                                request, credentials: Self.credentials, region: "r", date: Self.date
                            ).target.utf8.count
                    }
                }
            }.min() ?? .zero
        #expect(targets > 0)
        #expect(best / rounds < .microseconds(100), "\(best / rounds)")
    }
}
