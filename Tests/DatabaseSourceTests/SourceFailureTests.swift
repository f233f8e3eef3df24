import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite struct SourceFailureTests {
    @Test func whatIsNoDatabaseIsRefusedInWords() throws {
        let fixture = try SourceFixture()
        let words = { SourceFixture.refusal { _ = try fixture.snapshot() }.map { ($0.code, $0.message) } }
        var found = try #require(words())
        #expect(found.0 == .source && found.1.contains("no such file"))

        try Data().write(to: URL(fileURLWithPath: fixture.path))
        found = try #require(words())
        #expect(found.0 == .source && found.1.contains("is empty"))

        try Data(repeating: 0x61, count: 8192).write(to: URL(fileURLWithPath: fixture.path))
        found = try #require(words())
        #expect(found.0 == .source && found.1.contains("not a SQLite database, or it is encrypted"))

        try FileManager.default.removeItem(atPath: fixture.path)
        try FileManager.default.createDirectory(atPath: fixture.path, withIntermediateDirectories: false)
        found = try #require(words())
        #expect(found.0 == .source && found.1.contains("it is a directory"))
    }

    @Test func aCorruptPageIsToldWithItsTable() throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE good (a); INSERT INTO good VALUES (1); CREATE TABLE bad (a);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
            INSERT INTO bad SELECT hex(zeroblob(400)) FROM n;
            """)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path))
        try file.seek(toOffset: 20 * 4096)
        try file.write(contentsOf: Data(repeating: 0xFF, count: 4096))
        try file.close()
        let snapshot = try fixture.snapshot()
        #expect(try SourceFixture.rows(of: "good", in: snapshot).count == 1)
        let error = SourceFixture.refusal { _ = try SourceFixture.rows(of: "bad", in: snapshot) }
        #expect(error?.code == .source)
        #expect(error?.location == ["table \"bad\""])
        #expect(error?.message.contains("corrupt") == true)
    }

    @Test func aLockThatDoesNotEndIsTold() throws {
        let fixture = try SourceFixture("CREATE TABLE t (a)")
        let writer = try SourceFixture.Writer(fixture.path)
        try writer.run("BEGIN EXCLUSIVE")
        let error = SourceFixture.refusal { _ = try fixture.snapshot() }
        #expect(error?.code == .source)
        #expect(error?.message.contains("locked by another process") == true)
    }

    /// What a writer that died in the middle leaves: pages that must be rolled back before anything is read.
    @Test func aHotJournalIsRolledBack() throws {
        let fixture = try SourceFixture("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        let dead = try SourceFixture()
        do {
            let writer = try SourceFixture.Writer(fixture.path)
            try writer.run("PRAGMA cache_size=1; BEGIN; UPDATE t SET a = 2; INSERT INTO t VALUES (zeroblob(1000000))")
            for suffix in ["", "-journal"] {
                try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: dead.path + suffix)
            }
        }
        #expect(try dead.rows(of: "t") == [#"{"$rowid":1,"a":1}"#])
    }

    @Test func aNameThatIsNotTextIsRefused() throws {
        let fixture = try SourceFixture(
            """
            CREATE TABLE t (a); PRAGMA writable_schema=ON;
            UPDATE sqlite_schema SET sql = CAST(CAST('CREATE TABLE t (a /* ' AS BLOB) || x'ff' || ' */)' AS TEXT);
            """)
        let error = SourceFixture.refusal { _ = try fixture.snapshot() }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("\"t\"") == true)
    }

    @Test func aPathThatLooksLikeAnAddressIsAPath() throws {
        let fixture = try SourceFixture("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        let odd = fixture.directory + "/a?mode=memory&x%20y.sqlite"
        try FileManager.default.copyItem(atPath: fixture.path, toPath: odd)
        let snapshot = try SQLiteSnapshot.open(path: odd, options: SnapshotOptions())
        #expect(try SourceFixture.rows(of: "t", in: snapshot).count == 1)
    }
}
