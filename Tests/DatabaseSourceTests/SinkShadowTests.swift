import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite("Tables that look like shadow tables")
struct SinkShadowTests {
    private let directory: SinkDirectory
    private var path: String { directory.file("db") }
    private var source: String { directory.file("source") }

    private static let schema = """
        CREATE TABLE articles(id INTEGER PRIMARY KEY, t);
        CREATE TABLE docs_content(k INTEGER PRIMARY KEY, v);
        CREATE VIRTUAL TABLE docs USING fts5(t, content='articles', content_rowid='id');
        CREATE INDEX docs_content_v ON docs_content(v);
        """
    private static let rows =
        "INSERT INTO articles VALUES(1,'red'); INSERT INTO docs(rowid,t) VALUES(1,'red');"
        + "INSERT INTO docs_content VALUES(1,'archive');"

    init() throws { directory = try SinkDirectory() }

    private func existing(_ change: (inout RestoreOptions) -> Void = { _ in }) -> RestoreOptions {
        var options = RestoreOptions()
        options.dataOnly = true
        change(&options)
        return options
    }

    @Test func anOrdinaryTableIsNotEmptiedUnasked() throws {
        _ = try SinkDatabase(source, SinkShadowTests.schema, SinkShadowTests.rows)
        _ = try SinkDatabase(path, SinkShadowTests.schema, "INSERT INTO docs_content VALUES(7,'precious')")
        let archive = try SinkArchive(of: source)
        let found = failure { try archive.restore(into: path, existing()) }
        #expect(found.contains("\"docs_content\" holds rows"), "\(found)")
        #expect(try SinkDatabase(path).rows("SELECT v FROM docs_content") == [["precious"]])
        try archive.restore(into: path, existing { $0.clearExisting = true })
        #expect(try SinkDatabase(path).rows("SELECT v FROM docs_content") == [["archive"]])
        #expect(try SinkDatabase(path).rows("SELECT rowid FROM docs('red')") == [["1"]])
    }

    @Test func aNewFileEqualsTheSource() throws {
        _ = try SinkDatabase(
            source, SinkShadowTests.schema, SinkShadowTests.rows,
            "CREATE TABLE docs_stat(x); CREATE TRIGGER tr AFTER INSERT ON docs_content BEGIN SELECT 1; END;"
                + "CREATE VIRTUAL TABLE old USING fts3(a); INSERT INTO old VALUES('a'); INSERT INTO old(old) VALUES('automerge=8')"
        )
        try SinkArchive(of: source).restore(into: path)
        #expect(try vacuumed(path, in: directory) == vacuumed(source, in: directory))
    }

    @Test func theLedgerCallsItATable() throws {
        _ = try SinkDatabase(source, SinkShadowTests.schema, SinkShadowTests.rows)
        let snapshot = try SQLiteSnapshot.open(path: source, options: SnapshotOptions())
        let types = Dictionary(uniqueKeysWithValues: snapshot.schema.ledger.map { ($0.name, $0.type) })
        #expect(types["docs_content"] == "table")
        #expect(types["docs_data"] == "shadow table")
    }

    @Test func theContentOfAVirtualTableIsNoTableToFill() throws {
        _ = try SinkDatabase(path, "CREATE VIRTUAL TABLE docs USING fts5(t)")
        _ = try SinkDatabase(source, "CREATE TABLE docs_content(id INTEGER PRIMARY KEY, c0)")
        let found = failure { try SinkArchive(of: source).restore(into: path, existing { $0.clearExisting = true }) }
        #expect(found.contains("belongs to a virtual table"), "\(found)")
    }

    @Test func referencesThatStayWithoutParentAreTold() throws {
        _ = try SinkDatabase(
            path, "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p);",
            "INSERT INTO c VALUES(1,8),(2,9)")
        let child = SinkTable("c", ["id", "p"], [#"{"id":1,"p":5}"#, #"{"id":2,"p":6}"#])
        let warnings = try SinkArchive(tables: [child]).restore(into: path, existing { $0.clearExisting = true })
        #expect(warnings.contains { $0.contains("2 foreign keys have no parent in \"p\"") }, "\(warnings)")
    }
}
