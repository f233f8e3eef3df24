import BackupCore
import Testing

/// What clients of the API may name, and attempts to get at something else.
@Suite struct AllowedPlaceTests {
    private static let patterns = [
        "postgresql://db.example.com/app", "postgresql://db.example.com:6432/*", "postgres://[2001:db8::1]/app",
        "postgresql://10.0.0.5/app", "sqlite:/srv/app.sqlite", "postgresql:///local",
    ]

    private func isAllowed(_ text: String) -> Bool {
        guard let place = try? DatabasePlace(text) else { return false }
        return AllowedPlaceTests.patterns.compactMap { SourcePattern($0) }.contains { $0.matches(place) }
    }

    @Test(
        "What is listed may be named, in every way that means the same",
        arguments: [
            "postgresql://db.example.com/app", "postgres://db.example.com/app", "POSTGRESQL://DB.Example.COM/app",
            "postgresql://db.example.com./app", "postgresql://db.example.com:5432/app",
            "postgresql://user@db.example.com/app", "postgresql://user:p%40ss%2Fword@db.example.com/app",
            "postgresql+psycopg2://user:secret@db.example.com/app", "postgresql://db.example.com/a%70p",
            "postgresql://db.example.com/app?sslmode=verify-full&connect_timeout=5",
            "postgresql://db.example.com:6432/one", "postgresql://u:p@db.example.com:6432/two",
            "postgresql://[2001:DB8:0:0::1]/app", "postgresql://[2001:db8::1]:5432/app", "postgresql://10.0.0.5/app",
            "sqlite:/srv/app.sqlite", "sqlite:///srv/app.sqlite", "postgresql:///local", "postgresql://u@/local",
        ])
    func allowed(_ text: String) { #expect(isAllowed(text)) }

    @Test(
        "Anything else is refused",
        arguments: [
            // Another place.
            "postgresql://169.254.169.254/app", "postgresql://localhost/app", "postgresql://db.example.com:5433/app",
            "postgresql://db.example.com/other", "postgresql://db.example.com/APP", "postgresql://10.0.0.50/app",
            "postgresql://evil.db.example.com/app", "postgresql://db.example.com.evil.net/app",
            "postgresql:///other", "sqlite:/srv/app.sqlite-wal", "sqlite:/etc/passwd",
            // A place that one reader takes for another.
            "postgresql://db.example.com@169.254.169.254/app", "postgresql://u@db.example.com@169.254.169.254/app",
            "postgresql://169.254.169.254#@db.example.com/app", "postgresql://169.254.169.254\\@db.example.com/app",
            "postgresql://169.254.169.254?@db.example.com/app", "postgresql://169.254.169.254/@db.example.com/app",
            "postgresql://db.example.com,169.254.169.254/app",
            "postgresql://db.example.com:5432,169.254.169.254:5432/app",
            "postgresql://169.254.169.254 db.example.com/app", "postgresql://db.example.com\t/app",
            "postgresql://db.example.com\n/app", "postgresql://db.example.com\u{0}.evil.net/app",
            "postgresql://db%2Eexample.com/app", "postgresql://%2Ftmp/app",
            "postgresql://db.example.com%2C127.0.0.1/app",
            "postgresql://db.example.com:/app", "postgresql://db.example.com:+5432/app",
            "postgresql://db.example.com:05432000/app", "postgresql://db.example.com:99999/app",
            "postgresql://d\u{0431}.example.com/app", "postgresql://db.example.com\u{3002}/app",
            "postgresql://db..example.com/app", "postgresql://.db.example.com/app", "postgresql://db.example.com../app",
            // An address in another form.
            "postgresql://167772165/app", "postgresql://012.0.0.5/app", "postgresql://10.5/app",
            "postgresql://0xa000005/app", "postgresql://0x0a.0.0.5/app", "postgresql://10.0.0.05/app",
            "postgresql://[::ffff:10.0.0.5]/app", "postgresql://[::ffff:169.254.169.254]/app",
            "postgresql://[2001:db8::1%25eth0]/app", "postgresql://2001:db8::1/app", "postgresql://[2001:db8::1/app",
            "postgresql://[2001:db8::1]x/app",
            // Another database behind the name.
            "postgresql://db.example.com/app/other", "postgresql://db.example.com/app%2Fother",
            "postgresql://db.example.com/", "postgresql://db.example.com", "postgresql://db.example.com//app",
            "postgresql://db.example.com/host%3Devil.net%20dbname%3Dapp", "postgresql://db.example.com:6432/*",
            "postgresql://db.example.com:6432/", "postgresql://db.example.com/app%00",
            "postgresql://db.example.com/a%GG",
            // Parameters that lead elsewhere, read files or run programs.
            "postgresql://db.example.com/app?host=/tmp", "postgresql://db.example.com/app?host=169.254.169.254",
            "postgresql://db.example.com/app?hostaddr=169.254.169.254", "postgresql://db.example.com/app?port=22",
            "postgresql://db.example.com/app?dbname=other", "postgresql://db.example.com/app?service=root",
            "postgresql://db.example.com/app?servicefile=/etc/x",
            "postgresql://db.example.com/app?passfile=/etc/shadow",
            "postgresql://db.example.com/app?sslkey=/etc/k", "postgresql://db.example.com/app?sslcert=/etc/c",
            "postgresql://db.example.com/app?sslrootcert=/etc/r", "postgresql://db.example.com/app?sslcrl=/etc/r",
            "postgresql://db.example.com/app?options=-c%20search_path%3Devil",
            "postgresql://db.example.com/app?sslmode=require&host=evil.net",
            "postgresql://db.example.com/app?sslmode=require&ho%73t=evil.net",
            "postgresql://db.example.com/app?HOST=evil.net", "postgresql://db.example.com/app?user=postgres",
            "postgresql://db.example.com/app?sslmode=require;host=evil.net&x=y",
            "postgresql://db.example.com/app?requirepeer=x", "postgresql://db.example.com/app?krbsrvname=x",
            "postgresql://db.example.com/app?", "postgresql://db.example.com/app?sslmode",
            // Files by another name.
            "sqlite:srv/app.sqlite", "sqlite:/srv/../srv/app.sqlite", "sqlite:/srv//app.sqlite",
            "sqlite:/srv/app.sqlite?mode=rwc", "sqlite:file:/srv/app.sqlite", "sqlite:/srv/./app.sqlite",
            // No address at all.
            "", "db.example.com", "http://db.example.com/app", "postgresql:db.example.com/app", "file:///etc/passwd",
            "service=root", "host=db.example.com dbname=app",
        ])
    func refused(_ text: String) { #expect(!isAllowed(text)) }

    @Test(
        "A list that could be misread is none",
        arguments: [
            "postgresql://u:p@db/app", "postgresql://u@db/app", "postgresql://*/app", "postgresql://*.db/app",
            "postgresql://db/a*", "postgresql://db/**", "postgresql://db/app?sslmode=require", "postgresql://db", "*",
            "sqlite:app.sqlite", "sqlite:*", "db/app", "",
        ])
    func noPattern(_ text: String) { #expect(SourcePattern(text) == nil) }

    @Test("The configured database is allowed, whoever asks for it there")
    func configured() throws {
        let address = try DatabaseURL("postgresql://app:secret@DB.example.com/app?sslmode=require")
        let pattern = try #require(SourcePattern(configured: address))
        #expect(pattern.matches(try DatabasePlace("postgresql://other:else@db.example.com:5432/app")))
        #expect(!pattern.matches(try DatabasePlace("postgresql://db.example.com/other")))
        #expect(SourcePattern(configured: try DatabaseURL("postgresql://a,b/app")) == nil)
        #expect(SourcePattern(configured: try DatabaseURL("postgresql:")) == nil)
    }

    @Test("A refusal never repeats the address")
    func silence() {
        for text in ["postgresql://u:hunter2@a@b/c", "postgresql://u:hunter2@h/d?x=hunter2", "x:hunter2", "hunter2"] {
            let error = #expect(throws: BackupError.self) { try DatabasePlace(text) }
            #expect(error?.message.contains("hunter2") == false)
        }
    }

    @Test(arguments: [
        ("minio.example.com:9000", "minio.example.com", 9000), ("MINIO.example.com.", "minio.example.com", 443),
        ("[::1]:9000", "[::1]", 9000), ("127.0.0.1:80", "127.0.0.1", 80),
    ])
    func endpoints(_ text: String, _ host: String, _ port: Int) throws {
        let pattern = try #require(EndpointPattern(text))
        #expect(pattern.host == host && pattern.port == port)
    }

    @Test(arguments: [
        "", "https://h", "h/b", "h:0", "h:x", "h:1:2", "u@h", "*.h", "[::1", "2130706433", "h:70000", "a b",
    ])
    func noEndpoints(_ text: String) { #expect(EndpointPattern(text) == nil) }

    @Test(
        "An address is shown without what is secret",
        arguments: [
            ("postgresql://u:p@h/d", "postgresql://u:********@h/d"),
            ("postgresql://u:p@h/d?sslmode=require", "postgresql://u:********@h/d?********"),
            ("postgresql://h/d?password=p", "postgresql://h/d?********"), ("postgresql://u@h/d", "postgresql://u@h/d"),
            ("postgresql://u:p@q@h/d", "postgresql://u:********@h/d"), ("sqlite:/a?b", "sqlite:/a?b"),
        ])
    func masked(_ text: String, _ shown: String) throws {
        let address = try DatabaseURL(text)
        #expect(address.masked == shown)
        #expect(address.keepsSecrets == shown.contains("********"))
    }

    @Test("A key is 32 bytes, in hexadecimal digits or base64")
    func keys() throws {
        let bytes = (0..<32).map { UInt8($0 * 7) }
        let hexadecimal = bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
        let key = try #require(SecretKey(bytes: bytes))
        #expect(SecretKey(hexadecimal) == key && SecretKey(" \(hexadecimal.uppercased())\n") == key)
        let base64 = "AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK+2vcTL0tk="
        #expect(SecretKey(base64) == key && SecretKey(String(base64.dropLast())) == key)
        for text in [
            "", "abc", hexadecimal + "00", String(hexadecimal.dropLast(2)), "g" + hexadecimal.dropFirst(), "!" + base64,
        ] {
            #expect(SecretKey(text) == nil, "\(text)")
        }
        #expect("\(key) \(String(reflecting: key))" == "******** ********")
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("14"))
    }
}
