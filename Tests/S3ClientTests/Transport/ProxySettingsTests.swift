import S3Client
import Testing

@Suite struct ProxySettingsTests {
    private func route(
        _ environment: [String: String], _ host: String = "s3.example.com", port: Int = 443, isTLS: Bool = true
    ) throws -> String? {
        try ProxySettings.fromEnvironment(environment).proxy(forHost: host, port: port, isTLS: isTLS)
            .map { "\($0)" }
    }

    @Test(
        "The variable that counts is curl's",
        arguments: [
            ([:], nil, nil),
            (["https_proxy": "http://a:1"], "a:1", nil), (["HTTPS_PROXY": "http://a:1"], "a:1", nil),
            (["https_proxy": "a:1", "HTTPS_PROXY": "b:2"], "a:1", nil),
            (["https_proxy": "", "HTTPS_PROXY": "b:2"], "b:2", nil),
            (["http_proxy": "a:1"], nil, "a:1"), (["HTTP_PROXY": "a:1"], nil, nil),
            (["ALL_PROXY": "a:1"], "a:1", "a:1"), (["all_proxy": "b:2", "ALL_PROXY": "a:1"], "b:2", "b:2"),
            (["ALL_PROXY": "a:1", "https_proxy": "b:2", "http_proxy": "c:3"], "b:2", "c:3"),
            (["ALL_PROXY": "a:1", "HTTP_PROXY": "c:3"], "a:1", "a:1"),
        ] as [([String: String], String?, String?)])
    func variables(_ environment: [String: String], _ secure: String?, _ plain: String?) throws {
        #expect(try route(environment, isTLS: true) == secure)
        #expect(try route(environment, port: 80, isTLS: false) == plain)
    }

    @Test(
        "Addresses of proxies in every form",
        arguments: [
            ("proxy", "proxy", 1080, nil, nil), ("proxy:3128", "proxy", 3128, nil, nil),
            ("http://proxy:3128/", "proxy", 3128, nil, nil), ("HTTP://proxy", "proxy", 1080, nil, nil),
            ("http://[fd00::1]:8080", "fd00::1", 8080, nil, nil), ("http://[fd00::1]", "fd00::1", 1080, nil, nil),
            ("http://user@proxy:1", "proxy", 1, "user", nil), ("http://u:p@proxy:1", "proxy", 1, "u", "p"),
            ("http://u%40x:p%3A%2f%20@proxy:1", "proxy", 1, "u@x", "p:/ "),
            ("u:a:b@c@10.0.0.1:99", "10.0.0.1", 99, "u", "a:b@c"),
            ("http://:p@proxy:1", "proxy", 1, "", "p"),
        ] as [(String, String, Int, String?, String?)])
    func addresses(_ value: String, _ host: String, _ port: Int, _ user: String?, _ password: String?) throws {
        let expected = ProxySettings.Proxy(host: host, port: port, user: user, password: password)
        #expect(try ProxySettings.fromEnvironment(["https_proxy": value]).secure == expected)
    }

    @Test("User and password become a Basic authorization")
    func authorization() throws {
        let settings = try ProxySettings.fromEnvironment(["https_proxy": "http://user:p%C3%A4ss@proxy:1"])
        #expect(settings.secure?.authorization == "Basic dXNlcjpww6Rzcw==")
        #expect(try ProxySettings.fromEnvironment(["https_proxy": "proxy:1"]).secure?.authorization == nil)
    }

    @Test(
        "Hosts that go directly, and hosts that do not",
        arguments: [
            ("*", "s3.example.com", 443, true), ("", "s3.example.com", 443, false),
            (" , ", "s3.example.com", 443, false),
            ("example.com", "s3.example.com", 443, true), ("example.com", "example.com", 443, true),
            (".example.com", "s3.example.com", 443, true), (".example.com", "example.com", 443, true),
            ("*.example.com", "s3.example.com", 443, true), ("example.com.", "S3.Example.COM.", 443, true),
            ("ample.com", "s3.example.com", 443, false), ("example.co", "s3.example.com", 443, false),
            ("s3.example.com", "example.com", 443, false), ("EXAMPLE.com", "s3.example.com", 443, true),
            ("a.org example.com", "s3.example.com", 443, true), ("a.org,\texample.com", "s3.example.com", 443, true),
            ("example.com:443", "s3.example.com", 443, true), ("example.com:9000", "s3.example.com", 443, false),
            ("*", "10.0.0.1", 9000, true), ("10.0.0.1", "10.0.0.1", 9000, true), ("10.0.0.1", "10.0.0.11", 9000, false),
            ("10.0.0.1:9000", "10.0.0.1", 9000, true), ("10.0.0.1:9001", "10.0.0.1", 9000, false),
            ("0.0.1", "10.0.0.1", 9000, false),
            ("10.0.0.0/8", "10.200.0.1", 9000, true), ("10.0.0.0/8", "11.0.0.1", 9000, false),
            ("172.16.0.0/12", "172.31.255.255", 443, true), ("172.16.0.0/12", "172.32.0.0", 443, false),
            ("192.168.1.7/32", "192.168.1.7", 443, true), ("192.168.1.7/32", "192.168.1.6", 443, false),
            ("0.0.0.0/0", "8.8.8.8", 443, true), ("0.0.0.0/0", "s3.example.com", 443, false),
            ("0.0.0.0/0", "[::1]", 443, false), ("10.0.0.0/33", "10.0.0.1", 443, false),
            ("10.0.0.0/", "10.0.0.1", 443, false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", 443, true),
            ("fd00::/8", "[fd12:3456::1]", 443, true), ("fd00::/8", "fe80::1", 443, false),
            ("[::1]", "::1", 443, true), ("::1", "[::1]", 443, true), ("[::1]:443", "::1", 443, true),
            ("[::1]:80", "::1", 443, false),
            ("2001:db8::1", "2001:DB8:0:0:0:0:0:1", 443, true), ("localhost", "localhost", 80, true),
        ])
    func exceptions(_ list: String, _ host: String, _ port: Int, _ isDirect: Bool) throws {
        for name in ["no_proxy", "NO_PROXY"] {
            let found = try route(["https_proxy": "proxy:1", name: list], host, port: port)
            #expect(found == (isDirect ? nil : "proxy:1"), "\(name)=\(list), host \(host)")
        }
    }

    @Test("The lower-case list wins, even empty")
    func listPrecedence() throws {
        #expect(try route(["https_proxy": "proxy:1", "no_proxy": "", "NO_PROXY": "*"]) == "proxy:1")
        #expect(try route(["https_proxy": "proxy:1", "no_proxy": "*", "NO_PROXY": ""]) == nil)
    }

    @Test(
        "What is no HTTP proxy is refused by its variable's name, without its value",
        arguments: [
            "socks5://h:1", "https://h:1", "ftp://SECRETPASS@h", "http://", "http://u:SECRETPASS@", "h:0", "h:65536",
            "h:x", "h:", "http://h:1/path", "http://u:SECRETPASS%@h:1", "http://a b:1", "http://[::1", "h:1?x",
            "://h:1",
        ])
    func refusals(_ value: String) {
        let error = #expect(throws: S3Error.self) { try ProxySettings.fromEnvironment(["HTTPS_PROXY": value]) }
        #expect(error?.kind == .configuration)
        #expect(error?.message.contains("HTTPS_PROXY") == true)
        #expect(error?.message.contains("SECRETPASS") == false)
    }

    @Test("Descriptions hold no password")
    func descriptions() throws {
        let proxy = try #require(ProxySettings.fromEnvironment(["https_proxy": "http://u:SECRETPASS@h:1"]).secure)
        #expect("\(proxy)" == "h:1")
        #expect(!String(reflecting: proxy).contains("SECRETPASS"))
        let settings = try ProxySettings.fromEnvironment(["ALL_PROXY": "http://u:SECRETPASS@h:1"])
        for text in ["\(settings)", String(reflecting: settings)] { #expect(!text.contains("SECRETPASS")) }
    }
}
