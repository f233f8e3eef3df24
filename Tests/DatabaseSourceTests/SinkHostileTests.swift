import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite("Definitions from an archive")
struct SinkHostileTests {
    @Test(arguments: [
        ("table", "ATTACH 'x' AS t"), ("table", "CREATE TABLE t(a); CREATE TABLE u(b)"),
        ("table", "PRAGMA writable_schema=ON"), ("table", "CREATE TABLE t AS SELECT 1"),
        ("table", "CREATE TRIGGER t AFTER INSERT ON base BEGIN SELECT 1; END"),
        ("table", "CREATE TEMP TABLE t(a)"), ("table", "CREATE TABLE u(a)"), ("table", "DROP TABLE base"),
        ("table", "SELECT load_extension('x')"), ("table", "CREATE TABLE t(a CHECK(load_extension('x')))"),
        ("table", "CREATE VIRTUAL TABLE t USING fts5(a)"), ("table", "INSERT INTO base VALUES(1)"),
        ("table", "VACUUM INTO 'x'"), ("table", "CREATE TABLE t(a COLLATE unheard_of, UNIQUE(a))"),
        ("virtual_table", "CREATE VIRTUAL TABLE t USING dbstat"),
        ("virtual_table", "CREATE VIRTUAL TABLE t USING unheard_of"), ("view", "CREATE TABLE t(a)"),
        ("index", "CREATE INDEX t ON base(unheard_of(a))"), ("trigger", "DELETE FROM base"),
        ("internal_table", "CREATE TABLE sqlite_evil(a)"),
    ]) func areRefusedWhereTheyDoMore(kind: String, sql: String) throws {
        let directory = try SinkDirectory()
        let table = kind == "index" || kind == "trigger" ? "base" : "t"
        let archive = SinkArchive(objects: [
            SinkArchive.object("table", "base", "CREATE TABLE base(a)"),
            SinkArchive.object(kind, "t", sql, table: table),
        ])
        let words = failure { try archive.restore(into: directory.file("n")) }
        #expect(words.contains("\"t\""))
        #expect(directory.names.isEmpty)
    }

    @Test func mayNameOtherModulesWhenTrusted() throws {
        let directory = try SinkDirectory()
        let archive = SinkArchive(objects: [
            SinkArchive.object("virtual_table", "t", "CREATE VIRTUAL TABLE t USING dbstat")
        ])
        var options = RestoreOptions()
        options.trustSchema = true
        #expect(failure { try archive.restore(into: directory.file("n")) }.contains("--trust-schema"))
        try archive.restore(into: directory.file("n"), options)
        #expect(directory.names == ["n"])
    }
}
