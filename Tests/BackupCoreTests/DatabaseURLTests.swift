import BackupCore
import Testing

@Suite struct DatabaseURLTests {
    @Test(arguments: [
        ("sqlite:a.db", "a.db"), ("sqlite:/a/b.db", "/a/b.db"), ("sqlite:///a/b.db", "/a/b.db"),
        ("sqlite:////a/b.db", "/a/b.db"), ("sqlite://storage.db", "storage.db"),
        ("SQLite:a b?c#d%20.db", "a b?c#d%20.db"),
        ("sqlite3:x", "x"), ("sqlite:./x", "./x"),
    ])
    func readsAddresses(_ text: String, _ path: String) throws {
        let url = try DatabaseURL(text)
        #expect(url == .sqlite(path: path))
        #expect(url.redacted == "sqlite:" + path)
        #expect(try DatabaseURL(url.redacted) == url)
    }

    @Test(arguments: [
        "", "a.db", "sqlite:", "sqlite://", "sqlite:///", "sqlite::memory:", "sqlite://:memory:", "oracle:x",
        "postgresql//user:hunter2@host", "mysql://user:hunter2@host/db", ":x",
    ])
    func refusesOthersWithoutRepeatingThem(_ text: String) {
        let error = #expect(throws: BackupError.self) { try DatabaseURL(text) }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("hunter2") == false)
        #expect(error?.message.contains("\n") == false)
    }
}
